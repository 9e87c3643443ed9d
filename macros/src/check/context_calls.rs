//! Calls on `ctx` with other arguments than they take, or with a `?` although they cannot fail, where the compiler would advise to remove
//! an argument.

use super::tokens::{are_arguments, expressions, is, is_word, mentions};
use crate::catalogue::{self, Diagnostic};
use crate::types::readable_tokens;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

/// Methods that return no `Result`.
const CANNOT_FAIL: [&str; 14] = [
    "log",
    "log_all",
    "log_figure",
    "log_histogram",
    "log_image",
    "log_images",
    "log_table",
    "log_text",
    "print",
    "set_training",
    "stop",
    "stop_because",
    "toggle_optimizer",
    "untoggle_optimizer",
];

/// The settings of a logged value, which follow `ctx.log(…)`.
const SETTINGS: [&str; 9] = [
    "add_dataloader_idx",
    "batch_size",
    "dist_reduce_fx",
    "logger",
    "on_epoch",
    "on_step",
    "prog_bar",
    "reduce",
    "sync_dist",
];

/// Returns the mistake in the call of the context's method that begins with `ctx` here.
pub(super) fn mistake(tokens: &[TokenTree], place: usize) -> Option<(TokenStream, Diagnostic)> {
    let [ctx, dot, TokenTree::Ident(method), TokenTree::Group(arguments), after @ ..] = &tokens[place..] else {
        return None;
    };
    let is_of_another = place.checked_sub(1).is_some_and(|before| is(&tokens[before], '.'));
    if !is_word(ctx, "ctx") || !is(dot, '.') || !are_arguments(tokens.get(place + 3)) || is_of_another {
        return None;
    }
    let method = method.to_string();
    let call = || tokens[place + 2..place + 4].iter().cloned().collect::<TokenStream>();
    let diagnostic = match method.as_str() {
        "log" => match parts(arguments).as_slice() {
            [name, value, _, ..] => Some(catalogue::log_with_settings(format!("ctx.log({name}, {value})"))),
            _ => None,
        },
        "log_all" => setting_after(after).map(|setting| {
            let instead = format!("log each value by `ctx.log(name, value).{setting}`, as `log_all` has no settings");
            catalogue::attribute_of_python(format!("ctx.log_all(…).{setting}"), instead)
        }),
        "print" => printed(arguments).map(catalogue::printed_format),
        "no_sync" if ignores_context(arguments) => Some(catalogue::ignored_context()),
        "broadcast" if is_new_tensor(arguments) => {
            let instead = "tensors are gathered: write `ctx.all_gather(&tensor)?.get(0)`, which is that of rank 0";
            Some(catalogue::attribute_of_python("broadcast", instead))
        }
        "rank" => compared(after).map(|comparison| {
            let instead = format!("write `ctx.rank().global {comparison}`, or `ctx.is_global_zero()`");
            catalogue::attribute_of_python(format!("ctx.rank() {comparison}"), instead)
        }),
        _ => None,
    };
    diagnostic.map(|diagnostic| (call(), diagnostic)).or_else(|| cannot_fail(&method, after))
}

/// The arguments of a call as text; none if they do not parse, or if one of them has a name, which is reported as such.
fn parts(arguments: &Group) -> Vec<String> {
    let Some(arguments) = expressions(arguments) else { return Vec::new() };
    if arguments.iter().any(|argument| matches!(argument, Expr::Assign(_))) {
        return Vec::new();
    }
    arguments.iter().map(|argument| readable_tokens(argument.to_token_stream())).collect()
}

/// `.prog_bar()` after a call.
fn setting_after(after: &[TokenTree]) -> Option<String> {
    let [dot, TokenTree::Ident(setting), TokenTree::Group(value), ..] = after else { return None };
    let setting = setting.to_string();
    (is(dot, '.') && SETTINGS.contains(&setting.as_str()))
        .then(|| format!("{setting}{}", readable_tokens(TokenTree::from(value.clone()).into())))
}

/// `"epoch {} over", epoch` in the parentheses of `ctx.print`.
fn printed(arguments: &Group) -> Option<String> {
    let parts = parts(arguments);
    let text = parts.first()?;
    let is_text = text.starts_with('"');
    let has_value = text.split('{').skip(1).any(|rest| {
        let name = rest.split([':', '}']).next().unwrap_or_default();
        rest.contains('}') && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    });
    (is_text && has_value && !text.contains("{{") && !text.contains("}}"))
        .then(|| format!("ctx.print(format_args!({}))", parts.join(", ")))
}

/// Whether the closure of `ctx.no_sync` takes nothing, or leaves out what it takes and uses the context outside.
fn ignores_context(arguments: &Group) -> bool {
    let closure: Vec<TokenTree> = arguments.stream().into_iter().filter(|token| !is_word(token, "move")).collect();
    match closure.as_slice() {
        [open, close, ..] if is(open, '|') && is(close, '|') => true,
        [open, name, close, body @ ..] if is(open, '|') && is_word(name, "_") && is(close, '|') => {
            mentions(&body.iter().cloned().collect(), "ctx")
        }
        _ => false,
    }
}

/// `Tensor::randn(…)`, or a borrow of it.
fn is_new_tensor(arguments: &Group) -> bool {
    let mut tokens = arguments.stream().into_iter().filter(|token| !is(token, '&'));
    let is_tensor = tokens.next().is_some_and(|token| is_word(&token, "Tensor"));
    is_tensor && tokens.next().is_some_and(|token| is(&token, ':'))
}

/// `== 0` after `ctx.rank()`.
fn compared(after: &[TokenTree]) -> Option<String> {
    match after {
        [first, second, TokenTree::Literal(number), ..] if (is(first, '=') || is(first, '!')) && is(second, '=') => {
            Some(format!("{first}= {number}"))
        }
        _ => None,
    }
}

/// The `?` or `.unwrap()` after a call that cannot fail.
fn cannot_fail(method: &str, mut after: &[TokenTree]) -> Option<(TokenStream, Diagnostic)> {
    if !CANNOT_FAIL.contains(&method) {
        return None;
    }
    if method == "log" {
        while let [dot, TokenTree::Ident(setting), TokenTree::Group(group), rest @ ..] = after
            && is(dot, '.')
            && group.delimiter() == Delimiter::Parenthesis
            && SETTINGS.iter().any(|known| setting == known)
        {
            after = rest;
        }
    }
    let (wrong, written) = match after {
        [mark, ..] if is(mark, '?') => (TokenStream::from(mark.clone()), "?".to_owned()),
        [dot, TokenTree::Ident(name), TokenTree::Group(group), ..]
            if is(dot, '.') && (name == "unwrap" || name == "expect") =>
        {
            let wrong = TokenStream::from_iter([TokenTree::from(name.clone()), group.clone().into()]);
            (wrong, format!(".{name}{}", readable_tokens(TokenTree::from(group.clone()).into())))
        }
        _ => return None,
    };
    Some((wrong, catalogue::call_without_result(method, written)))
}
