//! Lints that are not meant for a method whose form the hook dictates, nor for generated code.

use crate::attributes;
use crate::model::Block;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Meta};

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

/// What stands over a generated implementation: clippy's advice is not meant for it, and what the user allows over the block
/// is allowed there too. Nothing else is, as `#![forbid(…)]` refuses an `#[allow(…)]` of the same lint.
pub(crate) fn quiet(attributes: &[Attribute]) -> TokenStream {
    let allowed = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::List(lints) if lints.path.is_ident("allow") || lints.path.is_ident("expect") => Some(&lints.tokens),
        _ => None,
    });
    quote! {
        #[automatically_derived]
        #(#[allow(#allowed)])*
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
    }
}

/// For what calls a method, or names a field, with these attributes: whoever wrote it deprecated means others.
pub(crate) fn although_deprecated(attributes: &[Attribute]) -> Option<TokenStream> {
    attributes::mention(attributes, "deprecated").then(|| quote!(#[allow(deprecated)]))
}
