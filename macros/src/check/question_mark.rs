//! `?` in a hook that returns no `Result`. The compiler proposes `Box<dyn Error>` there, which a hook cannot return.

use super::tokens::{is, levels, may_mention};
use crate::catalogue::{self, Diagnostic};
use crate::parse::Method;
use crate::types::readable;
use proc_macro2::{TokenStream, TokenTree};
use syn::{ReturnType, Type};

/// Returns the first `?` of a hook's body that returns from the hook, if its value cannot be an error.
pub(super) fn mistake(method: &Method) -> Option<(TokenStream, Diagnostic)> {
    let returned = match &method.sig.output {
        ReturnType::Default => None,
        // an alias may be a `Result`
        ReturnType::Type(_, ty) if matches!(&**ty, Type::Path(path) if path.path.is_ident("Tensor")) => Some(ty),
        ReturnType::Type(..) => return None,
    };
    let TokenTree::Group(body) = &method.body else { return None };
    let body = body.stream();
    // in another function, a closure, an `async` block or a macro, it may return from there
    if !may_mention(&body, &["?"]) || may_mention(&body, &["|", "async", "fn ", "macro", "try"]) {
        return None;
    }
    let levels = levels(&body);
    let mut marks = levels.iter().flat_map(|level| level.windows(2)).filter_map(|pair| match pair {
        // not that of `?Sized`
        [TokenTree::Ident(_) | TokenTree::Group(_), mark] if is(mark, '?') => Some(mark),
        _ => None,
    });
    let mark = marks.next()?.clone();
    let (form, end) = match returned {
        None => ("Result<()>".to_owned(), "`Ok(())` at its end".to_owned()),
        Some(ty) => (format!("Result<{}>", readable(ty)), "`Ok(…)` around its value".to_owned()),
    };
    Some((mark.into(), catalogue::question_mark_without_result(&method.name, form, end)))
}
