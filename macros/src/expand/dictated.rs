//! Clippy's advice on the form of a method, where the hook dictates the form.

use crate::model::Block;
use syn::parse_quote;

/// A hook takes `self` and its parameters as it is declared to, whether or not this one could do with less.
pub(super) fn allow(block: &mut Block) {
    for (_, method) in block.hook_methods() {
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
