//! One of two optimizers that a condition chooses, under the type of one of them.

use super::meant_hooks::OPTIMIZERS;
use super::tokens::{is, mentions};
use crate::catalogue::{self, Diagnostic};
use crate::parse::Method;
use crate::types::last_name;
use proc_macro2::{TokenStream, TokenTree};

/// Returns the optimizer that is not of the hook's type, `Sgd::new` in `-> AdamW`.
pub(super) fn mistake(method: &Method, body: &TokenStream) -> Option<(TokenStream, Diagnostic)> {
    const HOOK: &str = "configure_optimizers";
    let returned = last_name(&method.output());
    let is_one =
        OPTIMIZERS.contains(&returned.as_str()) && returned != "ScheduledOptimizer" && returned != "ParameterGroups";
    if method.name != HOOK || !is_one || !(mentions(body, "if") || mentions(body, "match")) {
        return None;
    }
    let (wrong, name) = other(body.clone(), &returned)?;
    Some((wrong, catalogue::optimizer_of_several(HOOK, returned, name)))
}

/// The first call of a constructor of another optimizer.
fn other(tokens: TokenStream, returned: &str) -> Option<(TokenStream, String)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.iter().enumerate().find_map(|(place, token)| match (token, &tokens[place + 1..]) {
        (TokenTree::Group(group), _) => other(group.stream(), returned),
        (TokenTree::Ident(ty), [one, second, TokenTree::Ident(_), TokenTree::Group(_), ..])
            if ty != returned && is(one, ':') && is(second, ':') && OPTIMIZERS.iter().any(|name| ty == name) =>
        {
            Some((tokens[place..place + 5].iter().cloned().collect(), ty.to_string()))
        }
        _ => None,
    })
}
