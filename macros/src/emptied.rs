//! Methods without their bodies, so that a reported mistake causes no other errors.

use crate::parse::{BlockItem, Method, Unread};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

impl BlockItem {
    /// Replaces the body of a method by one that fits every signature.
    pub(crate) fn empty(&mut self) {
        match self {
            Self::Method(method) => method.empty(),
            Self::Unread(method) => {
                let mut tokens: Vec<TokenTree> = method.tokens.clone().into_iter().collect();
                if let Some(body) = tokens.last_mut() {
                    *body = unimplemented(body);
                }
                let tokens: TokenStream = tokens.into_iter().collect();
                method.tokens = quote!(#[allow(unused_variables, clippy::unimplemented)] #tokens);
            }
            Self::MacroCall(_) | Self::Other(_) | Self::Unfinished(_) => {}
        }
    }
}

impl Method {
    /// Replaces the body by one that fits every signature.
    pub(crate) fn empty(&mut self) {
        self.ours.extend(quote!(#[allow(unused_variables, clippy::unimplemented)]));
        self.body = unimplemented(&self.body);
    }
}

/// The body that fits every signature, in the place of another.
fn unimplemented(body: &TokenTree) -> TokenTree {
    let TokenTree::Group(body) = body else { return body.clone() };
    let mut empty = Group::new(body.delimiter(), quote!(::core::unimplemented!()));
    empty.set_span(body.span());
    TokenTree::Group(empty)
}

impl Unread {
    /// Returns the body, and the tokens before it; `None` if the method returns an `impl Trait`, which its body decides.
    pub(crate) fn body_and_signature(&self) -> Option<(TokenTree, TokenStream)> {
        let mut signature: Vec<TokenTree> = self.tokens.clone().into_iter().collect();
        let body = signature.pop()?;
        let is_impl = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "impl");
        (!signature.iter().any(is_impl)).then(|| (body, signature.into_iter().collect()))
    }
}
