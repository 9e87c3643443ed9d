//! Names for generated type parameters that do not occur in the user's code.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use std::collections::HashSet;

/// Returns `name`, or a similar one that does not occur in `code`.
pub(crate) fn free_name(name: &str, code: TokenStream) -> Ident {
    let mut taken = HashSet::new();
    gather_names(code, &mut taken);
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    Ident::new(&name, Span::call_site())
}

/// Returns whether the identifier occurs in the code, at any depth.
pub(crate) fn mentions(code: TokenStream, name: &Ident) -> bool {
    code.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn gather_names(code: TokenStream, names: &mut HashSet<String>) {
    for token in code {
        match token {
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            TokenTree::Group(group) => gather_names(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}
