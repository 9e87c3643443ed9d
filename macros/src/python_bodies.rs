//! Statements of Lightning's Python in the body of a hook, which rustc reports as something else.

use crate::model::Written;
use proc_macro2::{Group, Spacing, TokenStream, TokenTree};
use syn::ReturnType;

/// A statement that is written otherwise here.
pub(crate) enum PythonStatement {
    /// `return -1` in `on_train_batch_start`.
    MinusOne,
    /// `ctx.log("loss", &loss, prog_bar = true)`, with the name of the option.
    LogOption(String),
    /// `ctx.should_stop = true`.
    ShouldStop,
}

/// Returns the first such statement in a hook, with the tokens that are wrong.
pub(crate) fn find(hook: &Written) -> Option<(TokenStream, PythonStatement)> {
    let may_be_minus_one =
        hook.declared.value() == Some("Flow") && matches!(hook.method.sig.output, ReturnType::Default);
    let has_context = hook.method.arguments().iter().any(|argument| argument.name == "ctx");
    (has_context || may_be_minus_one).then(|| find_in(hook.method.body.clone().into(), may_be_minus_one)).flatten()
}

fn find_in(code: TokenStream, may_be_minus_one: bool) -> Option<(TokenStream, PythonStatement)> {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let found = match token {
            TokenTree::Ident(keyword) if keyword == "return" && may_be_minus_one => minus_one(&tokens[at + 1..]),
            TokenTree::Ident(name) if name == "ctx" => of_context(&tokens[at..]),
            TokenTree::Group(group) => find_in(group.stream(), may_be_minus_one),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn minus_one(after: &[TokenTree]) -> Option<(TokenStream, PythonStatement)> {
    let [minus @ TokenTree::Punct(sign), one @ TokenTree::Literal(number), ..] = after else { return None };
    let is_minus_one = sign.as_char() == '-' && number.to_string() == "1";
    is_minus_one.then(|| ([minus.clone(), one.clone()].into_iter().collect(), PythonStatement::MinusOne))
}

/// What follows `ctx`.
fn of_context(tokens: &[TokenTree]) -> Option<(TokenStream, PythonStatement)> {
    match tokens {
        [_, dot, TokenTree::Ident(method), TokenTree::Group(arguments), ..] if is(dot, '.') && method == "log" => {
            log_option(arguments)
        }
        [_, dot, TokenTree::Ident(field), equals, ..]
            if is(dot, '.') && field == "should_stop" && is_assignment(equals) =>
        {
            Some((tokens[..4].iter().cloned().collect(), PythonStatement::ShouldStop))
        }
        _ => None,
    }
}

/// The first argument after two that is written as an assignment: a method with two parameters has none.
fn log_option(arguments: &Group) -> Option<(TokenStream, PythonStatement)> {
    let tokens: Vec<TokenTree> = arguments.stream().into_iter().collect();
    let option = tokens.split(|token| is(token, ',')).skip(2).find_map(|argument| match argument {
        [TokenTree::Ident(name), equals, ..] if is_assignment(equals) => Some((argument, name.to_string())),
        _ => None,
    });
    option.map(|(argument, name)| (argument.iter().cloned().collect(), PythonStatement::LogOption(name)))
}

fn is(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_assignment(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '=' && punct.spacing() == Spacing::Alone)
}
