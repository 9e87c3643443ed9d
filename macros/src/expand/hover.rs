//! The documentation of a hook on the method that is written: what an editor shows over its name.

use crate::hooks::Hook;
use crate::model::Block;
use syn::{Attribute, parse_quote};

/// Puts each hook's documentation behind what the user has written over its method.
pub(super) fn document(block: &mut Block) {
    for (hook, method) in block.hook_methods() {
        if method.attrs.iter().any(|attribute| attribute.path().is_ident("doc")) {
            method.attrs.push(parse_quote!(#[doc = ""]));
        }
        method.attrs.extend(documentation(hook));
    }
}

fn documentation(hook: &Hook) -> Vec<Attribute> {
    let lines = hook.documentation().into_iter().map(|line| unlinked(&line));
    lines.map(|line| parse_quote!(#[doc = #line])).collect()
}

/// The text with ``[`Flow`]`` as `` `Flow` ``: the link leads nowhere from the user's crate.
fn unlinked(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}
