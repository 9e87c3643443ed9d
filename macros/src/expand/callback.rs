//! The modules that a callback watches: one type, or every module that fits its hooks.

use crate::declare::steps;
use crate::free_name::{free_name, mentions};
use crate::hooks::{self, Role};
use crate::model::{Block, Written};
use crate::source_file::SourceFile;
use crate::types::{self, is_dyn, last_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Type, parse_quote};

/// The module that a callback watches, and the generics of its implementation.
pub(super) struct Watched {
    pub(super) module: Type,
    pub(super) generics: Generics,
}

impl Watched {
    /// Returns what a callback's hooks watch, each with its `#[cfg(…)]`; nothing for a block that is not a callback's.
    /// If the hooks that decide it are conditional, there is one for each combination of their
    /// conditions.
    pub(super) fn by(block: &Block, private: &TokenStream) -> Vec<(Option<TokenStream>, Self)> {
        if block.role != Role::Callback {
            return Vec::new();
        }
        let conditions = conditions(block);
        (0..1_usize << conditions.len())
            .map(|holds| {
                let holds = |condition: &TokenStream| {
                    let index = conditions.iter().position(|known| known.to_string() == condition.to_string());
                    index.is_none_or(|index| holds & (1 << index) != 0)
                };
                let all = conditions
                    .iter()
                    .map(|condition| if holds(condition) { condition.clone() } else { quote!(not(#condition)) });
                let combined = (!conditions.is_empty()).then(|| quote!(#[cfg(all(#(#all),*))]));
                let hooks: Vec<&Written> =
                    block.hooks.iter().filter(|hook| hook.method.condition().as_ref().is_none_or(holds)).collect();
                (combined, Self::through(&hooks, block, private))
            })
            .collect()
    }

    /// The modules that these hooks work with.
    fn through(hooks: &[&Written], block: &Block, private: &TokenStream) -> Self {
        let generics = block.generics();
        let is_one = |module: &Type| !block.every_module.as_ref().is_some_and(|every| is_of(module, &every.ident));
        // of one hook among others, it has been reported
        let mut decides = hooks.iter().filter(|hook| !hook.faulty || block.every_module.is_none());
        match decides.find_map(|hook| asked(hook, "module").filter(is_one).filter(|module| !is_dyn(module))) {
            Some(module) => Self { module, generics },
            None => Self::every(hooks, block, generics, private),
        }
    }

    /// Every module whose batches and outputs have the types in the hooks.
    fn every(hooks: &[&Written], block: &Block, mut generics: Generics, private: &TokenStream) -> Self {
        let (head, signatures) = (&block.item.head, hooks.iter().map(|hook| &hook.method.sig));
        // quoted generics leave the bounds out
        let (own, bounds, ty) = (&head.generics, &head.generics.where_clause, &head.self_ty);
        let (module, stated) = match &block.every_module {
            Some(every) => (every.ident.clone(), every.bounds.iter().collect::<Vec<_>>()),
            None => (free_name("M", quote!(#own #bounds #ty #private #(#signatures)*)), Vec::new()),
        };
        generics.params.push(parse_quote!(#module: #private::LightningModule #(+ #stated)*));
        let bounds = &mut generics.make_where_clause().predicates;
        bounds.extend(block.every_module.iter().flat_map(|every| every.predicates.iter().cloned()));
        let asked = |hook: &Written, name: &str| asked(hook, name).filter(|ty| !is_of(ty, &module));
        if let Some(batch) = hooks.iter().find_map(|hook| asked(hook, "batch")) {
            bounds.push(parse_quote!(#module: #private::Batched<Batch = #batch>));
        }
        for step in hooks::steps().map(|(_, step)| step) {
            let takes_output =
                |hook: &&&Written| hook.declared.parameter("outputs").is_some_and(|outputs| outputs.is_output_of(step));
            if let Some(asked) = hooks.iter().filter(takes_output).find_map(|hook| asked(hook, "outputs")) {
                let bound = steps::bound(step);
                bounds.push(parse_quote!(#module: #private::#bound<#asked>));
            }
        }
        Self { module: parse_quote!(#module), generics }
    }
}

/// Returns a check that the type of a callback's batches is one of batches: no module could have the callback, and a callback that the program
/// does not use yet has no other error. Its generics may decide the type, which is then left to its use.
pub(super) fn batch_check(block: &Block, private: &TokenStream) -> Option<TokenStream> {
    let is_concrete = block.item.head.generics.params.is_empty() && block.every_module.is_none();
    let watches_one = || block.hooks.iter().any(|hook| asked(hook, "module").is_some());
    let mut hooks = block.hooks.iter().filter(|hook| !hook.faulty && hook.is_unconditional());
    let batch = hooks.find_map(|hook| asked(hook, "batch"))?;
    let is_checked = is_concrete && !watches_one() && types::can_be_named(&batch) && !types::is_plain(&batch);
    let name = last_name(&block.item.head.self_ty);
    if !is_checked || SourceFile::of(Span::call_site())?.uses(&name) {
        return None;
    }
    Some(quote_spanned! {batch.span()=>
        const _: fn() = || {
            fn batch<B: #private::Batch>() {}
            batch::<#batch>();
        };
    })
}

/// Returns the distinct conditions of the hooks that decide what is watched.
fn conditions(block: &Block) -> Vec<TokenStream> {
    let says = |hook: &&Written| ["module", "batch", "outputs"].iter().any(|name| asked(hook, name).is_some());
    let mut conditions: Vec<TokenStream> = Vec::new();
    for condition in block.hooks.iter().filter(says).filter_map(|hook| hook.method.condition()) {
        if conditions.iter().all(|known| known.to_string() != condition.to_string()) {
            conditions.push(condition);
        }
    }
    conditions
}

/// Whether the type is the type parameter for the module, or has it in it, as `M::Batch` does.
fn is_of(ty: &Type, module: &Ident) -> bool {
    mentions(ty.to_token_stream(), module)
}

/// Returns the type of a hook's parameter by name, without its reference.
fn asked(hook: &Written, name: &str) -> Option<Type> {
    let arguments = hook.method.arguments();
    let argument = arguments.iter().find(|argument| argument.name == name)?;
    match argument.ty {
        Type::Reference(reference) => Some(reference.elem.as_ref().clone()),
        owned => Some(owned.clone()),
    }
}
