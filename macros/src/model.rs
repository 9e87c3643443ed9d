//! What a block means: which methods are hooks, which batch they speak of, what the steps return.

use crate::hooks::{Hook, HookTrait, Role, result_value};
use syn::{Attribute, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Pat, ReturnType, Type, parse_quote};

/// The attribute that keeps a method from being read as a hook.
pub(crate) const MARKER: &str = "not_a_hook";

/// An annotated block.
pub(crate) struct Block {
    pub(crate) role: Role,
    pub(crate) item: ItemImpl,
    pub(crate) traits: Vec<HookTrait>,
    pub(crate) hooks: Vec<Written>,
}

/// A hook as the user wrote it.
pub(crate) struct Written {
    pub(crate) declared: Hook,
    pub(crate) method: ImplItemFn,
    /// Set by the checks: its trait method is left out, so that one mistake brings no second error.
    pub(crate) faulty: bool,
}

/// A parameter that a written hook asks for.
pub(crate) struct Argument<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) ty: &'a Type,
}

impl Block {
    pub(crate) fn new(role: Role, item: ItemImpl) -> Self {
        let traits = role.traits();
        let declared: Vec<Hook> =
            traits.iter().flat_map(|hook_trait| hook_trait.methods().collect::<Vec<_>>()).collect();
        let written = |method: &ImplItemFn| {
            let declared = declared.iter().find(|hook| *hook.name() == method.sig.ident)?.clone();
            Some(Written { declared, method: method.clone(), faulty: false })
        };
        let hooks = methods(&item).filter(|method| !is_marked(method)).filter_map(written).collect();
        Self { role, item, traits, hooks }
    }

    pub(crate) fn written(&self, name: &str) -> Option<&Written> {
        self.hooks.iter().find(|hook| *hook.declared.name() == name)
    }

    pub(crate) fn method(&self, name: &str) -> Option<&ImplItemFn> {
        methods(&self.item).find(|method| method.sig.ident == name)
    }

    /// The methods that are no hooks of this block and not marked as such.
    pub(crate) fn other_methods(&self) -> impl Iterator<Item = &ImplItemFn> {
        methods(&self.item).filter(|method| !is_marked(method) && self.written(&method.sig.ident.to_string()).is_none())
    }

    /// The batch's type: that of the parameter `batch`, of `training_step` before others, else what the loaders yield.
    pub(crate) fn batch(&self) -> Type {
        let steps = ["training_step", "validation_step", "test_step", "predict_step"];
        let step = |name: &&str| self.written(name).and_then(Written::batch);
        steps
            .iter()
            .find_map(step)
            .or_else(|| self.hooks.iter().find_map(Written::batch))
            .or_else(|| self.hooks.iter().find_map(Written::loaded_batch))
            .unwrap_or_else(|| parse_quote!(()))
    }

    /// What a step returns, without its `Result`; `()` where the step is not written.
    pub(crate) fn output(&self, step: &str) -> Type {
        self.written(step).map_or_else(|| parse_quote!(()), Written::output)
    }

    /// `new`, where it is the constructor that the generated program calls.
    pub(crate) fn constructor(&self) -> Option<&ImplItemFn> {
        self.method("new").filter(|method| match arguments(method).as_slice() {
            [] => method.sig.receiver().is_none() && method.sig.inputs.is_empty(),
            [only] => method.sig.receiver().is_none() && method.sig.inputs.len() == 1 && only.name == "hparams",
            _ => false,
        })
    }
}

impl Written {
    pub(crate) fn arguments(&self) -> Vec<Argument<'_>> {
        arguments(&self.method)
    }

    /// `#[cfg(…)]` and `#[cfg_attr(…)]`: what is compiled only sometimes is a hook only then.
    pub(crate) fn conditions(&self) -> Vec<&Attribute> {
        let conditional =
            |attribute: &&Attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr");
        self.method.attrs.iter().filter(conditional).collect()
    }

    fn batch(&self) -> Option<Type> {
        let arguments = self.arguments();
        let batch = arguments.iter().find(|argument| argument.name == "batch")?;
        match batch.ty {
            Type::Reference(reference) => Some(reference.elem.as_ref().clone()),
            owned => Some(owned.clone()),
        }
    }

    /// `B` of a hook that returns `DataLoader<B>` or `Vec<DataLoader<B>>`.
    fn loaded_batch(&self) -> Option<Type> {
        if !self.declared.name().to_string().ends_with("_dataloader") {
            return None;
        }
        let mut ty = self.output();
        while let Type::Path(path) = &ty {
            let last = path.path.segments.last()?;
            let syn::PathArguments::AngleBracketed(inner) = &last.arguments else { return None };
            let syn::GenericArgument::Type(inner) = inner.args.first()? else { return None };
            let inner = inner.clone();
            if last.ident == "DataLoader" || last.ident == "DataLoaders" {
                return Some(inner);
            }
            ty = inner;
        }
        None
    }

    pub(crate) fn output(&self) -> Type {
        match &self.method.sig.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => result_value(ty).unwrap_or(ty).clone(),
        }
    }

    pub(crate) fn returns_result(&self) -> bool {
        matches!(&self.method.sig.output, ReturnType::Type(_, ty) if result_value(ty).is_some())
    }
}

pub(crate) fn methods(item: &ItemImpl) -> impl Iterator<Item = &ImplItemFn> {
    item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

pub(crate) fn is_marked(method: &ImplItemFn) -> bool {
    method.attrs.iter().any(|attribute| attribute.path().is_ident(MARKER))
}

fn arguments(method: &ImplItemFn) -> Vec<Argument<'_>> {
    method.sig.inputs.iter().filter_map(argument).collect()
}

fn argument(input: &FnArg) -> Option<Argument<'_>> {
    let FnArg::Typed(typed) = input else { return None };
    let Pat::Ident(pattern) = typed.pat.as_ref() else { return None };
    Some(Argument { name: &pattern.ident, ty: &typed.ty })
}
