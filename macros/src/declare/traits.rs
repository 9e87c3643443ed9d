//! The traits themselves.

use super::parameters_of;
use crate::hooks::{Hook, HookTrait, is_fact};
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::{ItemTrait, TraitItem, parse_quote};

/// The trait as declared. A default body may ignore its parameters.
pub(crate) fn plain(declared: HookTrait) -> TokenStream {
    item(declared).into_token_stream()
}

/// The trait with the constant of the hooks that a type overrides.
pub(crate) fn with_table(declared: HookTrait) -> TokenStream {
    let mut item = item(declared);
    let table = format_ident!("{}Table", declared.name());
    // if a hook that is not overridden is an error, the table must name those that are
    let constant: TraitItem = if declared.hooks().any(Hook::is_missing_by_default) {
        parse_quote! {
            /// The overridden hooks; the loops skip the others. By hand: a table that names each overridden hook, as
            /// `name: Some(Self::name)`, and takes the rest from its `NONE`.
            const TABLE: #table<Self>;
        }
    } else {
        parse_quote! {
            /// The overridden hooks; the loops skip the others. By hand: by default, all hooks are called.
            const TABLE: #table<Self> = #table::ALL;
        }
    };
    let locations: TraitItem = parse_quote! {
        /// The locations of the overridden hooks in the source; empty for an implementation by hand.
        const LOCATIONS: &'static [SourceLocation] = &[];
    };
    item.items.insert(0, constant);
    item.items.insert(1, locations);
    item.into_token_stream()
}

/// Returns the trait without the attributes of declarations, and with the hooks that `#[callback]` adds.
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
