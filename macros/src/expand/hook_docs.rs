//! Adds the hook's documentation to the user's method, for editors to show on hover.

use crate::hooks::Hook;
use crate::model::Block;
use quote::quote;

/// Adds each hook's documentation after the user's own.
pub(super) fn document(block: &mut Block) {
    for (hook, method) in block.hook_methods() {
        let has_own = method.attrs.iter().any(|attribute| attribute.path().is_ident("doc"));
        let paragraph = has_own.then(|| quote!(#[doc = ""]));
        let text = documentation(hook);
        method.documentation = quote!(#paragraph #[doc = #text]);
    }
}

/// The text with ``[`Flow`]`` as `` `Flow` ``: the link would not resolve in the user's crate.
fn documentation(hook: Hook) -> String {
    hook.documentation().collect::<Vec<_>>().join("\n").replace("[`", "`").replace("`]", "`")
}
