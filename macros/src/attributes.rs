//! The attributes of a method, including those in a `#[cfg_attr(…)]`: whether the method is compiled, and whether it is marked
//! `#[not_a_hook]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Meta, MetaList};

/// The attribute of a method that is not a hook despite its name.
const MARKER: &str = "not_a_hook";

/// The conditions that the attributes of a method add up to.
#[derive(Clone, Default)]
pub(crate) struct Conditions {
    /// The predicates under which the method is compiled and can be a hook; all of them must hold.
    predicates: Vec<TokenStream>,
    /// Whether it is marked as not a hook unconditionally.
    pub(crate) is_marked: bool,
}

impl Conditions {
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let mut conditions = Self::default();
        for attribute in attributes {
            conditions.add(name(&attribute.meta).as_deref(), arguments(&attribute.meta), &[]);
        }
        conditions
    }

    /// Returns all predicates as one; `None` if the method is always compiled.
    pub(crate) fn predicate(&self) -> Option<TokenStream> {
        match self.predicates.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => Some(quote!(all(#(#several),*))),
        }
    }

    /// Returns the `#[cfg(…)]` for what is generated for the method.
    pub(crate) fn attribute(&self) -> Option<TokenStream> {
        self.predicate().map(|predicate| quote!(#[cfg(#predicate)]))
    }

    /// Adds an attribute that applies if all of `outer` hold.
    fn add(&mut self, name: Option<&str>, arguments: Option<TokenStream>, outer: &[TokenStream]) {
        match (name, arguments) {
            (Some("cfg"), Some(predicate)) => self.predicates.push(match outer {
                [] => predicate,
                outer => quote!(any(not(all(#(#outer),*)), #predicate)),
            }),
            (Some("cfg_attr"), Some(arguments)) => {
                let mut arguments = separated(arguments).into_iter();
                let Some(predicate) = arguments.next() else { return };
                let outer: Vec<TokenStream> = outer.iter().cloned().chain([predicate]).collect();
                for attribute in arguments {
                    let (name, arguments) = taken_apart(attribute);
                    self.add(name.as_deref(), arguments, &outer);
                }
            }
            (Some(MARKER), _) => match outer {
                [] => self.is_marked = true,
                outer => self.predicates.push(quote!(not(all(#(#outer),*)))),
            },
            _ => {}
        }
    }
}

/// Whether one of the attributes is a `#[cfg(…)]`.
pub(crate) fn is_conditional(attribute: &Attribute) -> bool {
    !Conditions::of(std::slice::from_ref(attribute)).predicates.is_empty()
}

/// Whether it is a `#[not_a_hook(…)]` or `#[not_a_hook = …]`.
pub(crate) fn is_marker_with_arguments(attribute: &Attribute) -> bool {
    attribute.path().is_ident(MARKER) && !matches!(attribute.meta, Meta::Path(_))
}

/// Whether one of the attributes has this name, or a `#[cfg_attr(…)]` adds it.
pub(crate) fn mention(attributes: &[Attribute], wanted: &str) -> bool {
    fn is_in(attribute: TokenStream, wanted: &str) -> bool {
        match taken_apart(attribute) {
            (Some(name), Some(arguments)) if name == "cfg_attr" => {
                separated(arguments).into_iter().skip(1).any(|attribute| is_in(attribute, wanted))
            }
            (Some(name), _) => name == wanted,
            (None, _) => false,
        }
    }
    attributes.iter().any(|attribute| match name(&attribute.meta) {
        Some(name) if name == "cfg_attr" => is_in(attribute.meta.to_token_stream(), wanted),
        Some(name) => name == wanted,
        None => false,
    })
}

/// Removes the markers, which are not attributes of rustc.
pub(crate) fn unmark(attributes: &mut Vec<Attribute>) {
    attributes.retain_mut(|attribute| match (name(&attribute.meta).as_deref(), &mut attribute.meta) {
        (Some(MARKER), _) => false,
        (Some("cfg_attr"), Meta::List(list)) => {
            let unmarked = without_markers(list.tokens.clone());
            unmarked.map(|tokens| list.tokens = tokens).is_some()
        }
        _ => true,
    });
}

/// Returns the arguments of a `cfg_attr` without the markers; `None` if no attribute remains.
fn without_markers(arguments: TokenStream) -> Option<TokenStream> {
    let mut arguments = separated(arguments).into_iter();
    let predicate = arguments.next()?;
    let left: Vec<TokenStream> = arguments
        .filter_map(|attribute| match taken_apart(attribute.clone()) {
            (Some(name), _) if name == MARKER => None,
            (Some(name), Some(inner)) if name == "cfg_attr" => {
                without_markers(inner).map(|inner| quote!(cfg_attr(#inner)))
            }
            _ => Some(attribute),
        })
        .collect();
    (!left.is_empty()).then(|| quote!(#predicate, #(#left),*))
}

fn name(meta: &Meta) -> Option<String> {
    meta.path().get_ident().map(ToString::to_string)
}

fn arguments(meta: &Meta) -> Option<TokenStream> {
    if let Meta::List(MetaList { tokens, .. }) = meta { Some(tokens.clone()) } else { None }
}

/// Returns the name of an attribute in a `cfg_attr`, if it is a single identifier, and its arguments.
fn taken_apart(attribute: TokenStream) -> (Option<String>, Option<TokenStream>) {
    let mut tokens = ungrouped(attribute).into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else { return (None, None) };
    match tokens.next() {
        None => (Some(name.to_string()), None),
        Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => (Some(name.to_string()), None),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            (Some(name.to_string()), Some(group.stream()))
        }
        Some(_) => (None, None),
    }
}

/// The arguments between commas.
fn separated(arguments: TokenStream) -> Vec<TokenStream> {
    let mut separated = vec![TokenStream::new()];
    for token in arguments {
        match (&token, separated.last_mut()) {
            (TokenTree::Punct(comma), _) if comma.as_char() == ',' => separated.push(TokenStream::new()),
            (_, Some(last)) => token.to_tokens(last),
            (_, None) => {}
        }
    }
    separated.retain(|argument| !argument.is_empty());
    separated
}

/// Removes the invisible groups around an attribute that came through a macro.
fn ungrouped(tokens: TokenStream) -> TokenStream {
    let flat = |token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => ungrouped(group.stream()),
        other => other.into(),
    };
    tokens.into_iter().map(flat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::{ImplItemFn, parse_quote};

    fn said(method: &ImplItemFn) -> (Option<String>, bool) {
        let conditions = Conditions::of(&method.attrs);
        (conditions.predicate().map(|predicate| predicate.to_string()), conditions.is_marked)
    }

    #[test]
    fn conditions_are_found_at_any_depth() {
        assert_eq!(
            said(&parse_quote!(
                #[inline]
                fn f() {}
            )),
            (None, false)
        );
        assert_eq!(
            said(&parse_quote!(
                #[cfg(unix)]
                fn f() {}
            )),
            (Some("unix".to_owned()), false)
        );
        let both = parse_quote!(
            #[cfg(unix)]
            #[cfg_attr(test, inline, cfg(false))]
            fn f() {}
        );
        assert_eq!(said(&both), (Some("all (unix , any (not (all (test)) , false))".to_owned()), false));
        let nested = parse_quote!(
            #[cfg_attr(a, cfg_attr(b, doc = "x", cfg(c)))]
            fn f() {}
        );
        assert_eq!(said(&nested), (Some("any (not (all (a , b)) , c)".to_owned()), false));
    }

    #[test]
    fn marker_under_a_condition_leaves_the_hook_where_the_condition_does_not_hold() {
        assert_eq!(
            said(&parse_quote!(
                #[not_a_hook]
                fn f() {}
            )),
            (None, true)
        );
        let sometimes = parse_quote!(
            #[cfg_attr(test, not_a_hook)]
            fn f() {}
        );
        assert_eq!(said(&sometimes), (Some("not (all (test))".to_owned()), false));
    }

    #[test]
    fn attributes_are_found_at_any_depth() {
        let mentions = |method: ImplItemFn| mention(&method.attrs, "deprecated");
        assert!(mentions(parse_quote!(
            #[deprecated]
            fn f() {}
        )));
        assert!(mentions(parse_quote!(
            #[deprecated = "old"]
            fn f() {}
        )));
        assert!(mentions(parse_quote!(
            #[cfg_attr(a, inline, cfg_attr(b, deprecated(since = "1")))]
            fn f() {}
        )));
        assert!(mentions(parse_quote!(
            #[cfg_attr(a, deprecated = "old")]
            fn f() {}
        )));
        assert!(!mentions(parse_quote!(
            #[cfg(deprecated)]
            #[doc = "deprecated"]
            fn f() {}
        )));
    }

    #[test]
    fn markers_are_taken_out() {
        let mut method: ImplItemFn = parse_quote! {
            #[not_a_hook]
            #[cfg_attr(a, not_a_hook)]
            #[cfg_attr(b, inline, not_a_hook)]
            #[cfg_attr(c, cfg_attr(d, not_a_hook), cfg_attr(e, cold))]
            fn f() {}
        };
        unmark(&mut method.attrs);
        let expected: ImplItemFn = parse_quote! {
            #[cfg_attr(b, inline)]
            #[cfg_attr(c, cfg_attr(e, cold))]
            fn f() {}
        };
        assert_eq!(method.to_token_stream().to_string(), expected.to_token_stream().to_string());
    }
}
