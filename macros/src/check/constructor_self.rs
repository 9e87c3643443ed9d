//! `self` in the body of `new`, as in Python's `__init__`, where the compiler would advise to make `new` a method.

use super::tokens::{are_arguments, is, mentions};
use crate::catalogue::{self, Diagnostic};
use crate::python_names;
use proc_macro2::{TokenStream, TokenTree};

/// Returns the first `self.name` of a constructor without a receiver. What is defined in the body may have a `self` of its own.
pub(super) fn mistake(body: &TokenStream) -> Option<(TokenStream, Diagnostic)> {
    let has_definitions = ["fn", "impl", "macro_rules", "trait"].iter().any(|definition| mentions(body, definition));
    if has_definitions { None } else { first(body.clone()) }
}

fn first(tokens: TokenStream) -> Option<(TokenStream, Diagnostic)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.iter().enumerate().find_map(|(place, token)| match (token, &tokens[place + 1..]) {
        (TokenTree::Group(group), _) => first(group.stream()),
        (TokenTree::Ident(owner), [dot, TokenTree::Ident(name), after @ ..]) if owner == "self" && is(dot, '.') => {
            let diagnostic = match python_names::attribute(&name.to_string()) {
                Some(instead) => catalogue::attribute_of_python(name, instead),
                None if are_arguments(after.first()) => catalogue::method_in_constructor(name),
                None => catalogue::self_in_constructor(name),
            };
            Some((tokens[place..place + 3].iter().cloned().collect(), diagnostic))
        }
        _ => None,
    })
}
