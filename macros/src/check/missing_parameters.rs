//! Parameters that a hook's body uses, and the hook does not take.

use super::tokens::{are_arguments, is, levels, may_mention};
use super::torch::binds;
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::model::Written;
use proc_macro2::{Ident, TokenTree};

/// Rejects `ctx.log(…)` in a hook without `ctx`, and its like. Returns whether there is none.
pub(super) fn none_is_used(hook: &Written, diagnostics: &mut Diagnostics) -> bool {
    // the others are names of the user's own as well
    const CERTAIN: [&str; 3] = ["ctx", "batch_idx", "dataloader_idx"];
    let TokenTree::Group(body) = &hook.method.body else { return true };
    let body = body.stream();
    if !may_mention(&body, &CERTAIN) {
        return true;
    }
    let mut is_sound = true;
    for parameter in hook.declared.parameters().filter(|parameter| CERTAIN.contains(&parameter.name)) {
        // `_ctx` cannot be used as `ctx` either, and rustc says so
        let is_taken = hook.method.arguments().iter().any(|argument| argument.name == parameter.name);
        let is_other = hook
            .method
            .sig
            .inputs
            .iter()
            .any(|input| matches!(input, syn::FnArg::Typed(typed) if !matches!(*typed.pat, syn::Pat::Ident(_))));
        if is_taken || is_other || binds(&body, parameter.name) {
            continue;
        }
        let levels = levels(&body);
        if levels.iter().any(|level| is_declared(level, parameter.name)) {
            continue;
        }
        let used =
            levels.iter().find_map(|level| (0..level.len()).find_map(|place| used_at(level, place, parameter.name)));
        if let Some(name) = used {
            let form = format!("{}: {}", parameter.name, parameter.written());
            diagnostics.add(name, catalogue::missing_parameter(hook.declared.name(), parameter.name, form));
            is_sound = false;
        }
    }
    is_sound
}

/// Whether the name is declared in the body, or is that of a field: `ctx: …` of a function or of a struct.
fn is_declared(level: &[TokenTree], name: &str) -> bool {
    level.windows(2).any(
        |pair| matches!(pair, [TokenTree::Ident(word), colon] if word == name && (is(colon, ':') || is(colon, '='))),
    )
}

/// The name at this place as a value.
fn used_at<'a>(level: &'a [TokenTree], place: usize, name: &str) -> Option<&'a Ident> {
    let TokenTree::Ident(word) = &level[place] else { return None };
    let is_part =
        place.checked_sub(1).is_some_and(|before| [".", ":", "'", "$"].contains(&level[before].to_string().as_str()));
    let is_call = are_arguments(level.get(place + 1)) || level.get(place + 1).is_some_and(|next| is(next, '!'));
    // a context is used by its methods
    let is_value = name != "ctx" || level.get(place + 1).is_some_and(|next| is(next, '.'));
    (word == name && !is_part && !is_call && is_value).then_some(word)
}
