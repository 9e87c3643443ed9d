//! Calls of the prelude's constructors with other arguments than they take, such as `Sgd::new(0.1, 0.9)`, where the compiler would advise to
//! remove the second one.

use super::tokens::{are_arguments, is};
use crate::catalogue::{self, Diagnostic};
use crate::prelude_constructors::{self, Constructor};
use crate::source_file::SourceFile;
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

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
            return None;
        }
        catalogue::constructor_arguments(format!("{name}::{right}"), takes, form)
    } else if function == "new" {
        catalogue::no_constructor(name, form)
    } else {
        return None;
    };
    // the file may have another type of the name
    let is_meant = SourceFile::of(Span::call_site()).is_some_and(|file| prelude_constructors::is_meant(name, &file));
    is_meant.then(|| (tokens[place..place + 5].iter().cloned().collect(), diagnostic))
}

/// The number of arguments; `None` if they do not parse. Those with names are reported as such.
fn number_of(arguments: &Group) -> Option<usize> {
    let parse = |input: ParseStream<'_>| Punctuated::<Expr, Token![,]>::parse_terminated(input);
    let arguments = parse.parse2(arguments.stream()).ok()?;
    arguments.iter().all(|argument| !matches!(argument, Expr::Assign(_))).then(|| arguments.len())
}
