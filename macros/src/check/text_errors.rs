//! `Err("no samples".into())` in a method that returns the prelude's `Result`, whose errors are not made of texts.

use super::tokens::{are_arguments, is, is_word, levels, may_mention};
use crate::catalogue::{self, Diagnostic};
use crate::hooks::{result_error, result_value};
use crate::parse::Method;
use crate::source_file::SourceFile;
use crate::types::readable_tokens;
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::Type;

/// Returns the first such error.
pub(super) fn mistake(method: &Method, body: &TokenStream) -> Option<(TokenStream, Diagnostic)> {
    let returned = method.returned();
    let is_bare = matches!(&returned, Type::Path(path) if path.path.segments.len() == 1);
    let is_of_any_error = is_bare && result_value(&returned).is_some() && result_error(&returned).is_none();
    if !is_of_any_error || !may_mention(body, &["Err"]) || may_mention(body, &["|", "fn ", "async"]) {
        return None;
    }
    let found = levels(body).iter().find_map(|level| {
        level.windows(2).find_map(|pair| match pair {
            [name, TokenTree::Group(error)] if is_word(name, "Err") && are_arguments(pair.get(1)) => {
                text_of(error.stream()).map(|text| (error.stream(), text))
            }
            _ => None,
        })
    });
    let (wrong, text) = found?;
    let is_of_prelude = SourceFile::of(Span::call_site()).is_some_and(|file| !file.has_another_type("Result"));
    is_of_prelude.then(|| (wrong, catalogue::error_of_text(format!("bail!({text})"))))
}

/// Returns the arguments of `bail!` for `"…"`, `"…".into()`, `"…".to_string()` and `format!(…)`.
fn text_of(error: TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = error.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Literal(text)] | [TokenTree::Literal(text), _, TokenTree::Ident(_), TokenTree::Group(_)] => {
            let text = text.to_string();
            text.starts_with('"').then_some(text)
        }
        [name, mark, TokenTree::Group(arguments), ..] if is_word(name, "format") && is(mark, '!') => {
            Some(readable_tokens(arguments.stream()))
        }
        _ => None,
    }
}
