//! Values of several types where one is expected: callbacks in a list, and parameter groups of two algorithms.

use super::meant_hooks::OPTIMIZERS;
use super::tokens::{is, is_word, levels, may_mention, mentions};
use crate::catalogue::{self, Diagnostic};
use crate::parse::Method;
use crate::types::readable_tokens;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens that are wrong, and what is wrong with them.
type Mistake = (TokenStream, Diagnostic);

/// Returns the mistake in what a hook returns.
pub(super) fn mistake(method: &Method, body: &TokenStream) -> Option<Mistake> {
    match method.name.as_str() {
        // the compiler says that the elements of a list of trait objects need a `Box`
        "configure_callbacks" if !mentions(&method.output().to_token_stream(), "Callback") => {
            callbacks(&method.name, body)
        }
        "configure_optimizers" if may_mention(body, &["ParameterGroups"]) => {
            levels(body).iter().find_map(|level| algorithms(level))
        }
        "configure_optimizers" => levels(body).iter().find_map(|level| schedules(level)),
        _ => None,
    }
}

/// `vec![ModelCheckpoint::new(), EarlyStopping::new("val_loss")]`
fn callbacks(hook: &str, body: &TokenStream) -> Option<Mistake> {
    levels(body).iter().flatten().find_map(|token| {
        let TokenTree::Group(list) = token else { return None };
        if list.delimiter() != Delimiter::Bracket {
            return None;
        }
        let types: Vec<String> = arguments(list).iter().filter_map(|callback| constructed(callback)).collect();
        let [first, .., last] = types.as_slice() else { return None };
        // of which each is a callback in a box, or another one
        let is_of_several = first != last && types.len() == arguments(list).len();
        let tuple = format!("({})", types.join(", "));
        is_of_several.then(|| (list.stream(), catalogue::callback_of_several(hook, tuple)))
    })
}

/// `SequentialLr::new(vec![LinearLr::default(), StepLr::new(30)], vec![5])`
fn schedules(level: &[TokenTree]) -> Option<Mistake> {
    level.windows(5).find_map(|call| {
        let [TokenTree::Ident(ty), _, _, _, TokenTree::Group(parts)] = call else { return None };
        if ty != "SequentialLr" && ty != "ChainedScheduler" {
            return None;
        }
        let first = arguments(parts).into_iter().next()?;
        let [.., TokenTree::Group(list)] = first.as_slice() else { return None };
        let parts = arguments(list);
        let is_converted =
            parts.iter().all(|part| part.iter().any(|token| is_word(token, "into") || is_word(token, "from")));
        let types: Vec<String> = parts.iter().filter_map(|part| constructed(part)).collect();
        let is_of_several = types.iter().any(|other| *other != types[0]);
        let form: Vec<String> = types.iter().map(|ty| format!("{ty}::…(…).into()")).collect();
        (is_of_several && !is_converted && types.len() == parts.len())
            .then(|| (list.stream(), catalogue::schedules_of_several(ty, form.join(", "))))
    })
}

/// `ParameterGroups::new(Adam::new(1e-3)).group("**.bias", Sgd::new(0.1))`
fn algorithms(level: &[TokenTree]) -> Option<Mistake> {
    let start = level.iter().position(|token| is_word(token, "ParameterGroups"))?;
    let rest = &level[start..];
    let [_, _, _, _, TokenTree::Group(first), ..] = rest else { return None };
    let first = constructed(arguments(first).first()?).filter(|first| OPTIMIZERS.contains(&first.as_str()))?;
    rest.windows(3).find_map(|three| {
        let [dot, method, TokenTree::Group(group)] = three else { return None };
        let arguments = arguments(group);
        let [selector, algorithm] = arguments.as_slice() else { return None };
        let other = constructed(algorithm)?;
        let is_group = is(dot, '.') && is_word(method, "group") && OPTIMIZERS.contains(&other.as_str());
        let selector = readable_tokens(selector.iter().cloned().collect());
        (is_group && other != first)
            .then(|| (algorithm.iter().cloned().collect(), catalogue::algorithm_of_several(&first, &other, selector)))
    })
}

/// The arguments of a call, or the elements of a list.
fn arguments(group: &Group) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    tokens.split(|token| is(token, ',')).filter(|part| !part.is_empty()).map(<[TokenTree]>::to_vec).collect()
}

/// The type of `EarlyStopping::new(…)`.
fn constructed(value: &[TokenTree]) -> Option<String> {
    match value {
        [TokenTree::Ident(ty), one, other, TokenTree::Ident(_), TokenTree::Group(_), ..]
            if is(one, ':') && is(other, ':') =>
        {
            Some(ty.to_string())
        }
        _ => None,
    }
}
