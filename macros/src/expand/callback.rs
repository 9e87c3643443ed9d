//! Whom a callback watches: one type of module, or every module that fits its hooks.

use super::program::free_name;
use crate::hooks::{Hook, Role};
use crate::model::{Block, Written};
use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{FnArg, Generics, ReturnType, Type, parse_quote};

/// The module that a callback's hooks speak of, and the generics of its implementation.
pub(super) struct Watched {
    pub(super) module: Type,
    pub(super) generics: Generics,
}

impl Watched {
    /// Nothing for a block that is no callback.
    pub(super) fn by(block: &Block, root: &TokenStream) -> Option<Self> {
        if block.role != Role::Callback {
            return None;
        }
        let generics = block.generics();
        Some(match block.hooks.iter().find_map(|hook| asked(hook, "module")) {
            Some(module) => Self { module, generics },
            None => Self::every(block, generics, root),
        })
    }

    /// Every module whose batches and outputs are those that the hooks ask for.
    fn every(block: &Block, mut generics: Generics, root: &TokenStream) -> Self {
        let module = free_name("M", &generics);
        generics.params.push(parse_quote!(#module: #root::__private::LightningModule));
        let bounds = &mut generics.make_where_clause().predicates;
        if let Some(batch) = block.hooks.iter().find_map(|hook| asked(hook, "batch")) {
            bounds.push(parse_quote!(#module: #root::__private::Batched<Batch = #batch>));
        }
        for (hook, output) in [
            ("on_train_batch_end", "TrainingOutput"),
            ("on_validation_batch_end", "ValidationOutput"),
            ("on_test_batch_end", "TestOutput"),
            ("on_predict_batch_end", "Prediction"),
        ] {
            if let Some(asked) = block.written(hook).find_map(|hook| asked(hook, "outputs")) {
                let output = quote::format_ident!("{output}");
                bounds.push(parse_quote!(#module: #root::__private::StepOutputs<#output = #asked>));
            }
        }
        Self { module: parse_quote!(#module), generics }
    }

    /// The hook with this module for `M`.
    pub(super) fn hook(&self, hook: &Hook, root: &TokenStream) -> Hook {
        let mut hook = hook.clone();
        let mut named = Named { module: &self.module, root };
        for input in &mut hook.method.sig.inputs {
            if let FnArg::Typed(parameter) = input {
                named.visit_type_mut(&mut parameter.ty);
            }
        }
        if let ReturnType::Type(_, ty) = &mut hook.method.sig.output {
            named.visit_type_mut(ty);
        }
        hook
    }
}

/// The type that a hook asks for under a name, without its reference.
fn asked(hook: &Written, name: &str) -> Option<Type> {
    let arguments = hook.method.arguments();
    let argument = arguments.iter().find(|argument| argument.name == name)?;
    match argument.ty {
        Type::Reference(reference) => Some(reference.elem.as_ref().clone()),
        owned => Some(owned.clone()),
    }
}

/// Writes the module's type for `M`, as tokens in which no name is looked for any more.
struct Named<'a> {
    module: &'a Type,
    root: &'a TokenStream,
}

impl VisitMut for Named<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        let Named { module, root } = self;
        let Type::Path(path) = &*ty else { return visit_type_mut(self, ty) };
        let names: Vec<_> = path.path.segments.iter().map(|segment| &segment.ident).collect();
        let tokens = match names.as_slice() {
            [m] if *m == "M" => quote!(#module),
            [m, batch] if *m == "M" && *batch == "Batch" => quote!(<#module as #root::__private::Batched>::Batch),
            [m, output] if *m == "M" => quote!(<#module as #root::__private::StepOutputs>::#output),
            _ => return visit_type_mut(self, ty),
        };
        *ty = Type::Verbatim(tokens);
    }
}
