//! Allows the lints that do not apply to methods whose signature the hook determines, nor to generated code.

use crate::attributes;
use crate::model::Block;
use crate::parse::BlockItem;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Meta};

/// The hook determines its receiver and parameters, even if this method needs less.
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
        method.ours.extend(allowed.clone());
    }
    // a private type in a hook or a constructor is an error of the generated implementation
    for item in &mut block.item.items {
        if let BlockItem::Method(method) = item {
            method.ours.extend(quote!(#[allow(private_interfaces)]));
        }
    }
}

/// The attributes of a generated implementation: clippy's lints are allowed, and what the user allows on the block
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

/// Allows generated code to use a method or a field with these attributes if it is deprecated: the warning is for other callers.
pub(crate) fn although_deprecated(attributes: &[Attribute]) -> Option<TokenStream> {
    attributes::mention(attributes, "deprecated").then(|| quote!(#[allow(deprecated)]))
}
