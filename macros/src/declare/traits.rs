//! The traits themselves.

use super::parameters_of;
use crate::hooks::{Hook, HookTrait, is_fact};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::{ItemTrait, TraitItem, parse_quote};

/// The trait as declared. A default body that looks at none of its parameters is no mistake.
pub(crate) fn plain(declared: HookTrait) -> TokenStream {
    item(declared).into_token_stream()
}

/// The trait with the constant that tells which of its hooks a type overrides.
pub(crate) fn with_table(declared: HookTrait) -> TokenStream {
    let mut item = item(declared);
    let table = format_ident!("{}Table", declared.name());
    // where a hook that is not written is an error, it must be known which are written
    let constant: TraitItem = if declared.hooks().any(Hook::is_missing_by_default) {
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

/// The trait without the attributes that the runtime does not know, and with the hooks that follow from `#[callback]`.
fn item(declared: HookTrait) -> ItemTrait {
    let source = declared.source();
    let mut item: ItemTrait =
        syn::parse_str(source).unwrap_or_else(|error| panic!("`{}` does not parse: {error}", declared.name()));
    item.attrs.push(parse_quote!(#[allow(unused_variables)]));
    for method in &mut item.items {
        if let TraitItem::Fn(method) = method {
            method.attrs.retain(|attribute| !is_fact(attribute));
        }
    }
    item.items.extend(declared.callback_hooks().map(of_callback));
    item
}

/// A module's hook as callbacks have it.
fn of_callback(hook: Hook) -> TraitItem {
    let (name, lines) = (hook.ident(), hook.documentation());
    let (_, parameters) = parameters_of(hook, &[]);
    parse_quote! {
        #(#[doc = #lines])*
        fn #name(&mut self, #(#parameters),*) -> Result<()> {
            Ok(())
        }
    }
}
