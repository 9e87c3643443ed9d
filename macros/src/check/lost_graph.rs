//! A loss that a training step returns without its graph, so that the backward pass would fail in the first step.
//!
//! Only what is certain is an error here, in the statements of the body itself. The run reports the rest.

use super::tokens::{is, is_word, mentions};
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::model::Written;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Rejects what removes the graph of the returned loss.
pub(super) fn of_loss(hook: &Written, is_automatic: bool, diagnostics: &mut Diagnostics) {
    let has_loss = hook.declared.step().is_some_and(|step| step.has_loss);
    let TokenTree::Group(body) = &hook.method.body else { return };
    if has_loss
        && is_automatic
        && let Some((call, instead)) = remover(&body.stream().into_iter().collect::<Vec<_>>())
    {
        diagnostics.add(call, catalogue::loss_without_graph(hook.declared.name(), instead));
    }
}

/// Returns the call that removes the graph of the value at the end of these statements, and what to do instead.
fn remover(body: &[TokenTree]) -> Option<(TokenStream, &'static str)> {
    let value = value(body);
    let [TokenTree::Ident(loss)] = value.as_slice() else {
        return removed(&value).or_else(|| guard(body).map(|(_, guard)| guard));
    };
    let (place, bound) = only_binding(body, loss)?;
    removed(bound).or_else(|| guard(body).filter(|(guard, _)| *guard < place).map(|(_, guard)| guard))
}

/// The value that the statements return at their end, without its `Ok` or `Some`.
fn value(body: &[TokenTree]) -> Vec<TokenTree> {
    let is_end = |token: &TokenTree| is(token, ';') || is_group(token, Delimiter::Brace);
    let before = body.len().saturating_sub(1);
    let start = body[..before].iter().rposition(is_end).map_or(0, |end| end + 1);
    match &body[start..] {
        [wrapper, TokenTree::Group(inner)] if is_word(wrapper, "Ok") || is_word(wrapper, "Some") => {
            value(&inner.stream().into_iter().collect::<Vec<_>>())
        }
        // the statements end without a value
        [.., last] if is(last, ';') => Vec::new(),
        value => value.to_vec(),
    }
}

/// The call in `loss.detach()` or `tch::no_grad(|| loss)`, if that is all of the value.
fn removed(value: &[TokenTree]) -> Option<(TokenStream, &'static str)> {
    let is_of_chain = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => ['.', ':', '&', '?'].contains(&punct.as_char()),
        TokenTree::Ident(_) | TokenTree::Group(_) => true,
        TokenTree::Literal(_) => false,
    };
    match value {
        [chain @ .., dot, name, TokenTree::Group(arguments)]
            if is(dot, '.') && is_word(name, "detach") && arguments.stream().is_empty() =>
        {
            chain
                .iter()
                .all(is_of_chain)
                .then(|| (TokenStream::from_iter([name.clone(), arguments.clone().into()]), "remove `.detach()`"))
        }
        [tch, _, _, name, arguments @ TokenTree::Group(_)] if is_word(tch, "tch") && is_word(name, "no_grad") => {
            Some((TokenStream::from_iter([tch.clone(), arguments.clone()]), "compute it outside of `tch::no_grad`"))
        }
        _ => None,
    }
}

/// Returns the place and the value of the one `let loss = …;`.
fn only_binding<'a>(body: &'a [TokenTree], loss: &Ident) -> Option<(usize, &'a [TokenTree])> {
    let is_loss = |token: &TokenTree| matches!(token, TokenTree::Ident(name) if name == loss);
    let is_bound =
        |place: &usize| is_word(&body[*place], "let") && is_loss(&body[place + 1]) && is(&body[place + 2], '=');
    let mut bindings = (0..body.len().saturating_sub(2)).filter(is_bound);
    let (place, None) = (bindings.next()?, bindings.next()) else { return None };
    let after = &body[place + 3..];
    let end = after.iter().position(|token| is(token, ';'))?;
    Some((place, &after[..end]))
}

/// Returns the place of a `let guard = tch::no_grad_guard();` whose guard lives to the end, and its call.
fn guard(body: &[TokenTree]) -> Option<(usize, (TokenStream, &'static str))> {
    body.windows(8).enumerate().find_map(|(place, statement)| {
        let [keyword, TokenTree::Ident(guard), equals, tch, _, _, name, arguments] = statement else { return None };
        let is_guard =
            is_word(keyword, "let") && is(equals, '=') && is_word(tch, "tch") && is_word(name, "no_grad_guard");
        let is_dropped = || mentions(&body[place + 8..].iter().cloned().collect(), &guard.to_string());
        (is_guard && guard != "_" && !is_dropped()).then(|| {
            (
                place,
                (TokenStream::from_iter([tch.clone(), arguments.clone()]), "compute it before `tch::no_grad_guard()`"),
            )
        })
    })
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}
