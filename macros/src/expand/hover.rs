//! The documentation of a hook on the method that is written: what an editor shows over its name.

use crate::hooks::Hook;
use crate::model::Block;
use crate::parse::BlockItem;
use syn::ext::IdentExt;
use syn::{Attribute, parse_quote};

/// Puts each hook's documentation behind what the user has written over its method.
pub(super) fn document(block: &mut Block) {
    let hooks = &block.hooks;
    for item in &mut block.item.items {
        let BlockItem::Method(method) = item else { continue };
        let name = method.sig.ident.unraw();
        let Some(hook) = hooks.iter().find(|hook| *hook.declared.name() == name).filter(|_| !method.is_marked()) else {
            continue;
        };
        if method.attrs.iter().any(|attribute| attribute.path().is_ident("doc")) {
            method.attrs.push(parse_quote!(#[doc = ""]));
        }
        method.attrs.extend(documentation(&hook.declared));
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
