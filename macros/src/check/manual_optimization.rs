//! Manual optimization past the trainer: a backward pass or a step that it does not see. And optimizers that are kept while the context, of which
//! they are a part, is used.

use super::tokens::{are_arguments, is, is_word, levels, may_mention, mentions, readable_call};
use super::torch::bindings;
use crate::catalogue::{self, Diagnostic};
use crate::hooks::Hook;
use crate::types::readable_tokens;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// The tokens that are wrong, and what is wrong with them.
type Mistake = (TokenStream, Diagnostic);

/// A method of a block.
pub(super) struct Method<'a> {
    pub(super) name: &'a str,
    /// The tokens before its body.
    pub(super) signature: &'a TokenStream,
    pub(super) body: &'a TokenStream,
    pub(super) hook: Option<Hook>,
}

impl Method<'_> {
    /// Returns the passes and steps that the trainer does not see, and optimizers that are kept.
    pub(super) fn mistakes(&self, is_manual: bool, has_context: bool) -> Vec<Mistake> {
        // a hook that manual optimization never calls is reported as such
        let is_called = self.hook.is_none_or(|hook| hook.instead_of_automatic().is_none());
        let mut mistakes = if is_manual && is_called { self.past_trainer() } else { Vec::new() };
        // manual optimization under the automatic one is the mistake itself
        let is_own = || is_manual || !may_mention(self.body, &["manual_backward", "manual_step"]);
        if mistakes.is_empty() && has_context && is_own() {
            mistakes.extend(kept_optimizer(self.body));
        }
        mistakes
    }

    fn past_trainer(&self) -> Vec<Mistake> {
        let takes_context = ["Context", "RunContext", "TrainingContext"].iter().any(|ty| mentions(self.signature, ty));
        if !(takes_context || self.is_training_step()) {
            return Vec::new();
        }
        let levels = levels(self.body);
        let mut kept: Vec<Kept> =
            levels.iter().flat_map(|level| (0..level.len()).filter_map(|place| Kept::at(level, place))).collect();
        // another value may have the name elsewhere
        let names: Vec<Ident> = kept.iter().map(|kept| kept.name.clone()).collect();
        let count = |name: &Ident| names.iter().filter(|other| *other == name).count();
        kept.retain(|kept| bindings(self.body, &kept.name.to_string()) == count(&kept.name));
        let steps = levels.iter().flat_map(|level| self.steps(level, &kept));
        // a gradient that the body reads is not that of a training
        let own = mentions(self.body, "grad");
        let passes = levels.iter().filter(|_| !own).flat_map(|level| self.passes(level));
        steps.chain(passes).collect()
    }

    fn is_training_step(&self) -> bool {
        self.name == "training_step"
    }

    /// Each `ctx.optimizer(0).step()`, or `.step()` of an optimizer under a name.
    fn steps(&self, level: &[TokenTree], kept: &[Kept]) -> Vec<Mistake> {
        let calls = (1..level.len()).filter(|place| is_call(level, *place, "step"));
        let steps = calls.filter_map(|place| {
            let (start, index) = match &level[..place] {
                [.., TokenTree::Ident(name)] if !follows_dot(level, place - 1) => {
                    (place - 1, kept.iter().find(|kept| kept.name == *name)?.index.clone())
                }
                before => optimizer_at_end(before)?,
            };
            let call = &level[start..=place + 2];
            Some((
                call.iter().cloned().collect(),
                catalogue::step_past_trainer(readable_call(call), index, self.rest()),
            ))
        });
        steps.collect()
    }

    /// Each `loss.backward()`.
    fn passes(&self, level: &[TokenTree]) -> Vec<Mistake> {
        let calls = (1..level.len()).filter(|place| is_call(level, *place, "backward"));
        let passes = calls.map(|place| {
            let (start, loss) = match &level[place - 1] {
                TokenTree::Ident(loss) if !follows_dot(level, place - 1) => (place - 1, loss.to_string()),
                _ => (place, "loss".to_owned()),
            };
            let call = &level[start..=place + 2];
            let diagnostic = catalogue::backward_past_trainer(readable_call(call), loss, self.rest());
            (call.iter().skip(usize::from(start == place)).cloned().collect(), diagnostic)
        });
        passes.collect()
    }

    /// Where what is to be written belongs, and what the method must return for it.
    fn rest(&self) -> &'static str {
        match (self.hook.is_some() && !self.is_training_step(), mentions(self.signature, "Result")) {
            (true, _) => " in `training_step`",
            (false, true) => "",
            (false, false) => ", in a method that returns `Result<()>`",
        }
    }
}

/// An optimizer under a name: `let opt = ctx.optimizer(0);`.
struct Kept {
    name: Ident,
    index: String,
}

impl Kept {
    fn at(level: &[TokenTree], place: usize) -> Option<Self> {
        let binds = |word: &TokenTree| is_word(word, "let") || is_word(word, "for");
        let (name, is_or_in, value) = match &level[place..] {
            [word, mutable, TokenTree::Ident(name), next, value @ ..] if binds(word) && is_word(mutable, "mut") => {
                (name, next, value)
            }
            [word, TokenTree::Ident(name), next, value @ ..] if binds(word) => (name, next, value),
            _ => return None,
        };
        if !(is(is_or_in, '=') || is_word(is_or_in, "in")) {
            return None;
        }
        let end = value.iter().position(|token| is(token, ';') || is_group(token, Delimiter::Brace))?;
        let borrows = value.iter().take_while(|token| is(token, '&') || is_word(token, "mut")).count();
        let value = &value[borrows..end];
        let every = match value {
            [ctx, _, optimizers, ..]
                if is_word(is_or_in, "in") && is_word(ctx, "ctx") && is_word(optimizers, "optimizers_mut") =>
            {
                Some("0".to_owned())
            }
            _ => None,
        };
        let one = || optimizer_at_end(value).filter(|(start, _)| *start == 0).map(|(_, index)| index);
        Some(Self { name: name.clone(), index: every.or_else(one)? })
    }
}

/// Where the `ctx.optimizer(0)` or `ctx.optimizers_mut()[0]` at the end of these tokens starts, and its index.
fn optimizer_at_end(tokens: &[TokenTree]) -> Option<(usize, String)> {
    let (method, index, length) = match tokens {
        [.., _, _, method, TokenTree::Group(index)] if is_group(&tokens[tokens.len() - 1], Delimiter::Parenthesis) => {
            (method, index, 4)
        }
        [.., _, _, method, call, TokenTree::Group(index)] if are_arguments(Some(call)) => (method, index, 5),
        _ => return None,
    };
    let start = tokens.len() - length;
    let is_optimizer = is_word(method, if length == 4 { "optimizer" } else { "optimizers_mut" });
    (is_optimizer && is_word(&tokens[start], "ctx") && is(&tokens[start + 1], '.'))
        .then(|| (start, readable_tokens(index.stream())))
}

/// Returns the mistake of an optimizer that is kept under a name while the context is used: the compiler says no way out.
fn kept_optimizer(body: &TokenStream) -> Option<Mistake> {
    if !may_mention(body, &["optimizer"]) {
        return None;
    }
    levels(body).iter().find_map(|level| {
        (0..level.len()).find_map(|place| several_at(level, place).or_else(|| used_after_context(level, place)))
    })
}

/// `let (g, d) = ctx.optimizers();`
fn several_at(level: &[TokenTree], place: usize) -> Option<Mistake> {
    match &level[place..] {
        [word, pattern @ TokenTree::Group(names), equals, ctx, dot, method, call, ..]
            if is_word(word, "let")
                && is_group(pattern, Delimiter::Parenthesis)
                && is(equals, '=')
                && is_word(ctx, "ctx")
                && is(dot, '.')
                && (is_word(method, "optimizers") || is_word(method, "optimizers_mut"))
                && are_arguments(Some(call)) =>
        {
            let names = names.stream().into_iter().filter(|token| matches!(token, TokenTree::Ident(_))).count();
            let forms: Vec<String> = (0..names.max(1)).map(|index| format!("`ctx.optimizer({index})`")).collect();
            Some((pattern.clone().into(), catalogue::several_kept_optimizers(forms.join(", "))))
        }
        _ => None,
    }
}

/// `let opt = ctx.optimizer(0); … ctx.manual_backward(…)?; opt.zero_grad()?;`, all of them statements of one block.
fn used_after_context(level: &[TokenTree], place: usize) -> Option<Mistake> {
    let kept = Kept::at(level, place)?;
    if !is_word(&level[place], "let") {
        return None;
    }
    let end = place + level[place..].iter().position(|token| is(token, ';'))?;
    let is_use = |at: usize, name: &str| {
        is_word(&level[at], name) && !follows_dot(level, at) && level.get(at + 1).is_some_and(|dot| is(dot, '.'))
    };
    let name = kept.name.to_string();
    let context = (end..level.len()).find(|at| is_use(*at, "ctx"))?;
    let later = (context..level.len()).find(|at| is_use(*at, &name))?;
    // a new value under the name ends the borrow
    let is_set =
        (end..later).any(|at| is_word(&level[at], &name) && level.get(at + 1).is_some_and(|next| is(next, '=')));
    let call: TokenStream = level[place + 1..end].iter().cloned().collect();
    (!is_set).then(|| (call, catalogue::kept_optimizer(name, kept.index)))
}

/// Whether `.name()` is at this place.
fn is_call(level: &[TokenTree], place: usize, name: &str) -> bool {
    matches!(&level[place..], [dot, method, TokenTree::Group(arguments), ..]
        if is(dot, '.') && is_word(method, name) && arguments.delimiter() == Delimiter::Parenthesis && arguments.stream().is_empty())
}

fn follows_dot(level: &[TokenTree], place: usize) -> bool {
    place.checked_sub(1).is_some_and(|before| is(&level[before], '.') || is(&level[before], ':'))
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}
