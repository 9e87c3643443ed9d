//! Adds the phase of a context, which the hook decides and users omit.

use super::{crate_root, editor};
use crate::hooks::Parameter;
use crate::model::{Block, argument_name};
use crate::types::without_reference;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, Pat, PathArguments, Type};

const CONTEXT: &str = "Context";

/// Returns a use of the name `Context`, which the hooks' parameters have without one: the import of it is not unused.
pub(super) fn use_of_name(block: &Block) -> Option<TokenStream> {
    let types = block.hooks.iter().flat_map(|hook| hook.method.named_parameters()).map(|(_, ty)| without_reference(ty));
    let mut names = types.filter_map(|ty| match ty {
        Type::Path(path) => path.path.get_ident().filter(|name| *name == CONTEXT),
        _ => None,
    });
    names.next().map(|name| {
        quote! {
            const _: () = {
                #[allow(unused_imports)]
                use #name as _;
            };
        }
    })
}

/// Adds the hook's phase to `ctx: &mut Context` in every hook.
pub(super) fn fill(block: &mut Block, private: &TokenStream) {
    let is_manual = !block.arguments.automatic_optimization;
    for (hook, method) in block.hook_methods() {
        for input in &mut method.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(pattern) = typed.pat.as_ref() else { continue };
            if let Some(parameter) = hook.parameter(&argument_name(pattern)) {
                *typed.ty = at_its_moment(&typed.ty, parameter, is_manual, private);
            }
        }
    }
}

/// Returns the written type with the phase of the parameter, if the user did not write a phase. Only the compiler can resolve the name:
/// a `Context` gets the phase, and a `RunContext` does not have one.
///
/// In `training_step` of a module that is optimized manually, a `Context` becomes the one that has the callbacks.
pub(super) fn at_its_moment(written: &Type, parameter: Parameter, is_manual: bool, private: &TokenStream) -> Type {
    if editor::is_expanding()
        && let Some(shown) = shown_context(written, parameter)
    {
        return shown;
    }
    let mut written = written.clone();
    let Type::Reference(reference) = &mut written else { return written };
    let context = &mut *reference.elem;
    let span = context.span();
    let phase = parameter.phase().map(|phase| Ident::new(phase, span));
    let is_of_manual_step = is_manual && parameter.is_training_context();
    if phase.is_none() && !parameter.is_training_context() {
        return written;
    }
    if matches!(context, Type::Path(path) if path.path.is_ident(CONTEXT)) {
        // whatever else has the name there, as the trait `anyhow::Context`
        let name = Ident::new(CONTEXT, span);
        *context = Type::Verbatim(match phase {
            Some(phase) => quote!(#private::#name<#private::#phase>),
            None if is_of_manual_step => quote_spanned!(span=> #private::TrainingContext<'_, Self>),
            None => quote!(#private::#name<#private::Step>),
        });
        return written;
    }
    let at = match phase {
        Some(phase) => quote_spanned!(span=> #private::ContextAt<#private::#phase>),
        None if is_of_manual_step => quote_spanned!(span=> #private::ContextOfManualStep<'_, Self>),
        None => quote_spanned!(span=> #private::ContextAt<#private::Step>),
    };
    match context {
        Type::Path(path) => {
            let is_bare = path.path.segments.last().is_some_and(|last| last.arguments.is_empty());
            if !is_bare && !parameter.is_training_context() {
                return written;
            }
        }
        Type::Macro(_) => {}
        _ => return written,
    }
    *context = Type::Verbatim(quote_spanned!(span=> <#context as #at>::Context));
    written
}

/// Returns `&mut Context` with the phase by a public path, which editors show; `None` for a context under another name.
fn shown_context(written: &Type, parameter: Parameter) -> Option<Type> {
    let phase = parameter.phase()?;
    let mut written = written.clone();
    let Type::Reference(reference) = &mut written else { return None };
    let Type::Path(path) = reference.elem.as_mut() else { return None };
    let last = path.path.segments.last_mut().filter(|last| last.ident == "Context" && last.arguments.is_empty())?;
    // not at the name, of which editors show everything that is generated there
    let (span, root) = (reference.and_token.span, crate_root());
    let phase = Ident::new(phase, span);
    let argument = syn::parse2(quote_spanned!(span=> <#root::context::phase::#phase>)).ok()?;
    last.arguments = PathArguments::AngleBracketed(argument);
    Some(written)
}
