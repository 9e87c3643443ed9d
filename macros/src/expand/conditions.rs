//! Code that is generated under a `#[cfg(…)]`.

use crate::parse::Method;
use proc_macro2::TokenStream;
use quote::quote;

/// Returns the method's `#[cfg]`, for what is generated for it.
pub(super) fn condition(method: &Method) -> Option<TokenStream> {
    method.conditions.attribute()
}

/// Returns alternatives, each with its `#[cfg(…)]`: the first one whose predicate holds is compiled, and `otherwise` if none
/// does.
pub(super) fn first_of<T>(
    forms: impl IntoIterator<Item = (Option<TokenStream>, T)>,
    otherwise: T,
) -> Vec<(Option<TokenStream>, T)> {
    let (mut chosen, mut before) = (Vec::new(), Vec::new());
    for (predicate, form) in forms {
        let none_before = (!before.is_empty()).then(|| quote!(not(any(#(#before),*))));
        let all: Vec<TokenStream> = predicate.iter().cloned().chain(none_before).collect();
        let condition = match all.as_slice() {
            [] => None,
            [only] => Some(quote!(#[cfg(#only)])),
            several => Some(quote!(#[cfg(all(#(#several),*))])),
        };
        chosen.push((condition, form));
        match predicate {
            Some(predicate) => before.push(predicate),
            None => return chosen,
        }
    }
    let none = (!before.is_empty()).then(|| quote!(#[cfg(not(any(#(#before),*)))]));
    chosen.push((none, otherwise));
    chosen
}
