//! What tokens of a body are.

use crate::types::readable_tokens;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

pub(super) fn is(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

pub(super) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Whether this is the arguments of a call, so that the name before it is a function's.
pub(super) fn are_arguments(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// The arguments of a call; `None` if they do not parse.
pub(super) fn expressions(arguments: &Group) -> Option<Punctuated<Expr, Token![,]>> {
    let parse = |input: ParseStream<'_>| Punctuated::parse_terminated(input);
    parse.parse2(arguments.stream()).ok()
}

/// Whether the name is among the tokens, groups included.
pub(super) fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}

/// The tokens of the code and of every group in it, each as a sequence of its own.
pub(super) fn levels(code: &TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = code.clone().into_iter().collect();
    let groups = tokens.iter().filter_map(|token| if let TokenTree::Group(group) = token { Some(group) } else { None });
    let inner: Vec<Vec<TokenTree>> = groups.flat_map(|group| levels(&group.stream())).collect();
    std::iter::once(tokens).chain(inner).collect()
}

/// Whether the code may have one of these words. This is faster than looking through its tokens.
pub(crate) fn may_mention(code: &TokenStream, words: &[&str]) -> bool {
    let text = code.to_string();
    words.iter().any(|word| text.contains(word))
}

/// A call as people write it: `ctx.optimizer(0).step()`.
pub(super) fn readable_call(call: &[TokenTree]) -> String {
    readable_tokens(call.iter().cloned().collect())
        .replace(" . ", ".")
        .replace(" [", "[")
        .trim_start_matches(". ")
        .to_owned()
}
