//! Lints that are not meant for a method whose form the hook dictates, nor for generated code.

use crate::model::Block;
use proc_macro2::TokenStream;
use quote::quote;

/// A hook takes `self` and its parameters as it is declared to, whether or not this one could do with less.
pub(super) fn allow(block: &mut Block) {
    let allowed = quote! {
        #[allow(
            clippy::unused_self,
            clippy::needless_pass_by_ref_mut,
            clippy::needless_pass_by_value,
            clippy::ref_option,
            clippy::trivially_copy_pass_by_ref
        )]
    };
    for (_, method) in block.hook_methods() {
        method.ours = allowed.clone();
    }
}

/// What stands over every generated implementation: no lint of the user's is meant for it.
pub(crate) fn quiet() -> TokenStream {
    quote! {
        #[automatically_derived]
        #[allow(
            deprecated,
            dead_code,
            nonstandard_style,
            unreachable_pub,
            unused_qualifications,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction
        )]
    }
}
