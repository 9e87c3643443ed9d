//! Adds the phase of a context, which the hook decides and users omit.

use crate::hooks::Parameter;
use crate::model::{Block, argument_name};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{FnArg, Ident, Pat, Type};

/// Adds the hook's phase to `ctx: &mut Context` in every hook.
pub(super) fn fill(block: &mut Block, private: &TokenStream) {
    for (hook, method) in block.hook_methods() {
        for input in &mut method.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(pattern) = typed.pat.as_ref() else { continue };
            if let Some(parameter) = hook.parameter(&argument_name(pattern)) {
                *typed.ty = at_its_moment(&typed.ty, parameter, private);
            }
        }
    }
}

/// Returns the written type with the phase of the parameter, if that has one and the user wrote none. Which type a name stands for is
/// known to the compiler alone: a `Context` gets the phase, and a `RunContext` has none.
pub(super) fn at_its_moment(written: &Type, parameter: Parameter, private: &TokenStream) -> Type {
    let mut written = written.clone();
    let (Some(phase), Type::Reference(reference)) = (parameter.phase(), &mut written) else { return written };
    let context = &mut *reference.elem;
    let span = context.span();
    let phase = Ident::new(phase, span);
    match context {
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.arguments.is_empty()) => {}
        Type::Macro(_) => {}
        _ => return written,
    }
    let at = quote_spanned!(span=> #private::ContextAt<#private::#phase>);
    *context = Type::Verbatim(quote_spanned!(span=> <#context as #at>::Context));
    written
}
