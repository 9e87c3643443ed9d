//! Calls of the prelude's constructors with other arguments than they take, such as `Sgd::new(0.1, 0.9)`, where the compiler would advise to
//! remove the second one.

use super::tokens::{are_arguments, expressions, is};
use crate::catalogue::{self, Diagnostic};
use crate::prelude_constructors::{self, Constructor};
use crate::source_file::SourceFile;
use crate::types::readable_tokens;
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

/// Returns the call that begins at this token, if it is such a one.
pub(super) fn mistake(tokens: &[TokenTree], place: usize) -> Option<(TokenStream, Diagnostic)> {
    let [TokenTree::Ident(ty), one, other, TokenTree::Ident(function), TokenTree::Group(arguments), ..] =
        &tokens[place..]
    else {
        return None;
    };
    let is_of_another = place.checked_sub(1).is_some_and(|before| is(&tokens[before], ':'));
    if is_of_another || !is(one, ':') || !is(other, ':') || !are_arguments(tokens.get(place + 4)) {
        return None;
    }
    let Constructor { ty: name, function: right, arguments: number, takes, form } =
        prelude_constructors::of(&ty.to_string())?;
    let diagnostic = if function == right {
        if number_of(arguments)? == number {
            let (takes, form) = tensors(name, arguments)?;
            catalogue::constructor_arguments(format!("{name}::{right}"), takes, form)
        } else {
            catalogue::constructor_arguments(format!("{name}::{right}"), takes, form.to_owned())
        }
    } else if function == "new" {
        catalogue::no_constructor(name, form)
    } else {
        return None;
    };
    // the file may have another type of the name
    let is_meant = SourceFile::of(Span::call_site()).is_some_and(|file| prelude_constructors::is_meant(name, &file));
    is_meant.then(|| (tokens[place..place + 5].iter().cloned().collect(), diagnostic))
}

/// What a `TensorDataset` takes, and its form, where it gets borrowed tensors or a list of them.
fn tensors(name: &str, arguments: &Group) -> Option<(&'static str, String)> {
    let value: Vec<TokenTree> = arguments.stream().into_iter().collect();
    match value.as_slice() {
        _ if name != "TensorDataset" => None,
        [TokenTree::Ident(list), mark, TokenTree::Group(tensors)] if list == "vec" && is(mark, '!') => {
            Some(("tensors in a tuple", format!("TensorDataset::new(({}))?", readable_tokens(tensors.stream()))))
        }
        [TokenTree::Group(tensors)] if are_arguments(value.first()) => {
            let tensors = expressions(tensors)?;
            if !tensors.iter().any(|tensor| matches!(tensor, Expr::Reference(_))) {
                return None;
            }
            let owned = tensors.into_iter().map(|tensor| match tensor {
                Expr::Reference(borrowed) => {
                    format!("{}.shallow_clone()", readable_tokens(borrowed.expr.to_token_stream()))
                }
                other => readable_tokens(other.to_token_stream()),
            });
            let owned: Vec<String> = owned.collect();
            Some(("tensors, not borrows", format!("TensorDataset::new(({}))?", owned.join(", "))))
        }
        _ => None,
    }
}

/// The number of arguments; `None` if they do not parse. Those with names are reported as such.
fn number_of(arguments: &Group) -> Option<usize> {
    let arguments = expressions(arguments)?;
    arguments.iter().all(|argument| !matches!(argument, Expr::Assign(_))).then(|| arguments.len())
}
