//! Clippy's advice on the form of a method, where the hook dictates the form.

use crate::model::Block;
use crate::parse::BlockItem;
use syn::ext::IdentExt;
use syn::{Ident, parse_quote};

/// A hook takes `self` and its parameters as it is declared to, whether or not this one could do with less.
pub(super) fn allow(block: &mut Block) {
    let hooks: Vec<Ident> = block.hooks.iter().map(|hook| hook.method.sig.ident.unraw()).collect();
    for item in &mut block.item.items {
        if let BlockItem::Method(method) = item
            && !method.is_marked()
            && hooks.contains(&method.sig.ident.unraw())
        {
            method.attrs.push(parse_quote! {
                #[allow(
                    clippy::unused_self,
                    clippy::needless_pass_by_ref_mut,
                    clippy::needless_pass_by_value,
                    clippy::ref_option,
                    clippy::trivially_copy_pass_by_ref
                )]
            });
        }
    }
}
