//! The traits themselves.

use crate::hooks::HookTrait;
use crate::shared_moments;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::{ItemTrait, TraitItem, parse_quote};

/// The trait as declared. A default body that looks at none of its parameters is no mistake.
pub(crate) fn plain(declared: &HookTrait) -> TokenStream {
    quiet(declared.item.clone()).into_token_stream()
}

/// The trait with the constant that tells which of its hooks a type overrides.
pub(crate) fn with_table(declared: &HookTrait) -> TokenStream {
    let mut item = quiet(declared.item.clone());
    let table = format_ident!("{}Table", declared.name());
    // where a hook that is not written is an error, it must be known which are written
    let constant: TraitItem = if declared.hooks().any(|hook| hook.is_missing_by_default()) {
        parse_quote! {
            /// The overridden hooks; the loops leave out the others. By hand: a table that names each hook that is written,
            /// as `name: Some(Self::name)`, and takes the rest from its `NONE`.
            const TABLE: #table<Self>;
        }
    } else {
        parse_quote! {
            /// The overridden hooks; the loops leave out the others. By hand, the default calls them all.
            const TABLE: #table<Self> = #table::ALL;
        }
    };
    let places: TraitItem = parse_quote! {
        /// Where the overridden hooks are written; empty for an implementation that is written by hand.
        const PLACES: &'static [Place] = &[];
    };
    item.items.insert(0, constant);
    item.items.insert(1, places);
    item.into_token_stream()
}

fn quiet(mut item: ItemTrait) -> ItemTrait {
    item.attrs.push(parse_quote!(#[allow(unused_variables)]));
    for method in &mut item.items {
        if let TraitItem::Fn(method) = method {
            shared_moments::unmark(method);
        }
    }
    item
}
