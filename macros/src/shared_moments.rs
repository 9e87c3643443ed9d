//! The moments that callbacks share with modules: declared with the module's hooks, under `#[callback]`.

use crate::types::of_module;
use syn::{FnArg, TraitItem, TraitItemFn, parse_quote};

const MARKER: &str = "callback";

/// Whether callbacks have the hook too.
fn is_shared(method: &TraitItemFn) -> bool {
    method.attrs.iter().any(|attribute| attribute.path().is_ident(MARKER))
}

/// Takes the marker off, which the runtime's traits do not know.
pub(crate) fn unmark(method: &mut TraitItemFn) {
    method.attrs.retain(|attribute| !attribute.path().is_ident(MARKER));
}

/// The methods of `Callback` that follow from the modules' hooks.
pub(crate) fn of_callbacks(hooks: impl Iterator<Item = TraitItem>) -> impl Iterator<Item = TraitItem> {
    hooks.filter_map(|item| match item {
        TraitItem::Fn(method) if is_shared(&method) => Some(TraitItem::Fn(of_callback(method))),
        _ => None,
    })
}

/// The hook with the module behind `ctx`. A callback does not answer: where a module's hook does, it returns nothing.
fn of_callback(mut method: TraitItemFn) -> TraitItemFn {
    unmark(&mut method);
    for input in &mut method.sig.inputs {
        if let FnArg::Typed(parameter) = input {
            *parameter.ty = of_module(&parameter.ty);
        }
    }
    method.sig.inputs.insert(2, parse_quote!(module: &mut M));
    method.sig.output = parse_quote!(-> Result<()>);
    method.default = Some(parse_quote!({ Ok(()) }));
    method
}
