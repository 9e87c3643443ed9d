//! Names for generated type parameters that do not occur in the user's code.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::format_ident;

/// Returns `name`, or a similar one that does not occur in `code`.
pub(crate) fn free_name(name: &str, code: TokenStream) -> Ident {
    let mut name = Ident::new(name, Span::call_site());
    while mentions(code.clone(), &name) {
        name = format_ident!("{name}_");
    }
    name
}

/// Returns whether the identifier occurs in the code, at any depth.
pub(crate) fn mentions(code: TokenStream, name: &Ident) -> bool {
    code.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
