//! The phase of a context, which users leave out: the hook knows it.

use crate::hooks::Parameter;
use crate::model::{Block, argument_name};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned;
use syn::{FnArg, Pat, PathArguments, Type, parse2};

/// Makes `ctx: &mut Context` of every hook the context of that hook's moment.
pub(super) fn fill(block: &mut Block, root: &TokenStream) {
    for (hook, method) in block.hook_methods() {
        let parameters = hook.parameters();
        for input in &mut method.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(pattern) = typed.pat.as_ref() else { continue };
            let asked = argument_name(pattern);
            if let Some(parameter) = parameters.iter().find(|parameter| parameter.name == asked) {
                *typed.ty = at_its_moment(&typed.ty, parameter, root);
            }
        }
    }
}

/// `&mut Context` as `&mut Context<Phase>`, where the parameter has a phase and the user wrote none.
pub(super) fn at_its_moment(written: &Type, parameter: &Parameter, root: &TokenStream) -> Type {
    let mut written = written.clone();
    if let (Some(phase), Type::Reference(reference)) = (&parameter.phase, &mut written)
        && let Type::Path(path) = reference.elem.as_mut()
        && let Some(context) = path.path.segments.last_mut().filter(|context| context.arguments.is_empty())
    {
        let arguments = quote_spanned!(context.span()=> <#root::__private::#phase>);
        if let Ok(arguments) = parse2(arguments) {
            context.arguments = PathArguments::AngleBracketed(arguments);
        }
    }
    written
}
