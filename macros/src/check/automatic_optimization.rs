//! Manual optimization in a module that is optimized automatically: what the trainer does too.

use super::tokens::{is, is_word, levels, may_mention, mentions, readable_call};
use crate::catalogue::{self, Diagnostic};
use crate::diagnostics::Diagnostics;
use crate::model::Written;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// What the trainer does too, or what belongs to it.
const CALLS: [&str; 3] = ["manual_backward", "manual_step", "no_sync"];

/// Rejects what a hook leaves to automatic optimization: the backward pass, and the step of the optimizer. One mistake is reported, as the others
/// belong to it. Returns whether the body is sound otherwise.
pub(super) fn done_twice(hook: &Written, diagnostics: &mut Diagnostics) -> bool {
    let TokenTree::Group(body) = &hook.method.body else { return true };
    let has_loss = hook.declared.step().is_some_and(|step| step.has_loss);
    let has_context = hook.method.arguments().iter().any(|argument| argument.name == "ctx");
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let before = diagnostics.count();
    if has_loss {
        second_backward(&tokens, diagnostics);
        if diagnostics.count() == before {
            second_step(&tokens, diagnostics);
        }
    }
    if has_context && diagnostics.count() == before && may_mention(&body.stream(), &CALLS) {
        return !manual_call(&body.stream(), diagnostics);
    }
    true
}

/// Rejects the first `ctx.manual_backward(…)`, `ctx.manual_step(…)` or `ctx.no_sync(…)`, which rustc would too. Returns whether there is one.
fn manual_call(body: &TokenStream, diagnostics: &mut Diagnostics) -> bool {
    let levels = levels(body);
    let mut calls = levels.iter().flat_map(|level| level.windows(4));
    let found = calls.find_map(|call| match call {
        [ctx, dot, TokenTree::Ident(name), TokenTree::Group(_)]
            if is_word(ctx, "ctx") && is(dot, '.') && CALLS.iter().any(|known| name == known) =>
        {
            Some((call, name))
        }
        _ => None,
    });
    if let Some((call, name)) = found {
        diagnostics.add(call.iter().cloned().collect::<TokenStream>(), catalogue::manual_call(name));
    }
    found.is_some()
}

/// Rejects `loss.backward()` before `loss` is returned.
fn second_backward(body: &[TokenTree], diagnostics: &mut Diagnostics) {
    let Some(loss) = returned_variable(body) else { return };
    let calls = body.windows(4).enumerate().filter(|(_, call)| match call {
        [TokenTree::Ident(owner), dot, name, TokenTree::Group(arguments)] => {
            is(dot, '.') && is_word(name, "backward") && has_arguments_of(owner, &loss, arguments)
        }
        _ => false,
    });
    // another value of the name may be returned
    let is_bound = |pair: &[TokenTree]| match pair {
        [TokenTree::Ident(word), TokenTree::Ident(name)] => (word == "let" || word == "mut") && *name == loss,
        _ => false,
    };
    let mut calls = calls.filter(|(place, _)| !body[*place..].windows(2).any(is_bound));
    if let Some((_, call)) = calls.next() {
        add_call(call, |call| catalogue::second_backward(call, &loss), diagnostics);
    }
}

/// Rejects `ctx.optimizer(0).step()`.
fn second_step(body: &[TokenTree], diagnostics: &mut Diagnostics) {
    for call in body.windows(7) {
        let names = [(0, "ctx"), (2, "optimizer"), (5, "step")];
        let is_step = names.iter().all(|(place, name)| is_word(&call[*place], name)) && is(&call[4], '.');
        if is_step && matches!(&call[6], TokenTree::Group(arguments) if arguments.stream().is_empty()) {
            add_call(call, catalogue::second_step, diagnostics);
        }
    }
}

/// Adds a diagnostic about a call, with its text.
fn add_call(call: &[TokenTree], about: impl Fn(String) -> Diagnostic, diagnostics: &mut Diagnostics) {
    diagnostics.add(call.iter().cloned().collect::<TokenStream>(), about(readable_call(call)));
}

/// Whether it is `loss.backward()`, or `self.backward(ctx, &loss)`.
fn has_arguments_of(owner: &Ident, loss: &Ident, arguments: &Group) -> bool {
    (owner == loss && arguments.stream().is_empty())
        || (owner == "self" && mentions(&arguments.stream(), &loss.to_string()))
}

/// The variable that the body returns at its end: `loss`, or that of `Ok(loss)` or `Some(loss)`.
fn returned_variable(tokens: &[TokenTree]) -> Option<Ident> {
    let before = |length: usize| tokens.len().checked_sub(length + 1).map(|place| &tokens[place]);
    let begins = |token: Option<&TokenTree>| match token {
        None => true,
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(token) => is(token, ';'),
    };
    match tokens {
        [.., TokenTree::Ident(loss)] if begins(before(1)) => Some(loss.clone()),
        [.., TokenTree::Ident(wrapper), TokenTree::Group(group)]
            if begins(before(2)) && (wrapper == "Ok" || wrapper == "Some") =>
        {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            returned_variable(&inner)
        }
        _ => None,
    }
}
