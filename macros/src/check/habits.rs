//! Habits of Python's classes and of Rust in bodies, where the compiler's own error does not lead on: `self(x)`, `super().__init__()`,
//! `self.net(x)`, `loss.clone()`, and texts in the place of choices.

use super::bodies::Fields;
use super::tokens::{are_arguments, is, is_word, may_mention};
use super::torch::{Tensors, bindings};
use crate::catalogue::{self, Diagnostic};
use crate::source_file::SourceFile;
use crate::types::readable_tokens;
use crate::{python_choices, python_names, torch_names};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// The tokens that are wrong, and what is wrong with them.
type Mistake = (TokenStream, Diagnostic);

/// What is known of a method and its type.
pub(super) struct Method<'a> {
    pub(super) name: &'a str,
    pub(super) fields: &'a Fields<'a>,
    pub(super) tensors: &'a Tensors,
    /// Whether `ctx` is a context.
    pub(super) has_context: bool,
    /// Whether the block has a method `forward`.
    pub(super) has_forward: bool,
    /// The variables that are certainly tensors.
    pub(super) losses: &'a [Ident],
}

impl Method<'_> {
    /// Returns the mistake that begins at this token.
    pub(super) fn mistake(&self, tokens: &[TokenTree], place: usize) -> Option<Mistake> {
        let TokenTree::Ident(word) = &tokens[place] else { return None };
        let before = place.checked_sub(1).map(|before| &tokens[before]);
        let follows = |mark: char| before.is_some_and(|before| is(before, mark));
        let (rest, word) = (&tokens[place..], word.to_string());
        match word.as_str() {
            "self" if !follows('.') => {
                let called = self.called_self(rest).or_else(|| self.called_field(rest));
                called.or_else(|| self.of_python(rest)).or_else(|| each_parameter(tokens, place))
            }
            "super" => self.base_class(rest),
            "ctx" if self.has_context && !follows('.') => self
                .of_python(rest)
                .or_else(|| stopped(rest))
                .or_else(|| changed_by_index(rest))
                .or_else(|| stepped_scheduler(rest)),
            "average" | "interval" | "logging_interval" | "reduce" | "dist_reduce_fx" | "save_last" if follows('.') => {
                text_in_call(&word, rest)
            }
            "EarlyStopping" => early_stopping(rest),
            "f32" | "f64" | "i64" if !follows(':') => self.number_from_tensor(rest),
            "batch" if !follows('.') => self.length_of_batch(rest).or_else(|| self.clone_of_tensor(tokens, place)),
            _ => {
                let habit = self.set_automatic_optimization(rest).or_else(|| self.clone_of_tensor(tokens, place));
                habit.or_else(|| sizes_in_call(tokens, place))
            }
        }
    }

    /// `self(x)`
    fn called_self(&self, rest: &[TokenTree]) -> Option<Mistake> {
        let TokenTree::Group(input) = rest.get(1).filter(|call| are_arguments(Some(call)))? else { return None };
        let input = readable_tokens(input.stream());
        let definition = match self.has_forward {
            true => "",
            false => ", and define `fn forward(&self, input: &Tensor) -> Tensor`",
        };
        let instead = format!("write `self.forward({input})`{definition}");
        Some((rest[..2].iter().cloned().collect(), catalogue::attribute_of_python(format!("self({input})"), instead)))
    }

    /// `super().__init__()`, and `super::on_train_start()` in the hook itself.
    fn base_class(&self, rest: &[TokenTree]) -> Option<Mistake> {
        const INSTEAD: &str = "remove it, as the type has no base class";
        let (name, end) = match rest {
            [_, TokenTree::Group(call), after @ ..] if call.delimiter() == Delimiter::Parenthesis => {
                let is_method = matches!(after, [dot, TokenTree::Ident(_), arguments, ..] if is(dot, '.') && are_arguments(Some(arguments)));
                ("super()".to_owned(), if is_method { 5 } else { 2 })
            }
            [_, one, other, TokenTree::Ident(name), call, ..]
                if is(one, ':') && is(other, ':') && name == self.name && are_arguments(Some(call)) =>
            {
                if is_function(&name.to_string()) {
                    return None;
                }
                (format!("super::{name}"), 5)
            }
            _ => return None,
        };
        Some((rest[..end].iter().cloned().collect(), catalogue::attribute_of_python(name, INSTEAD)))
    }

    /// `this.automatic_optimization = false`. On `self` it is found as every attribute of Lightning's.
    fn set_automatic_optimization(&self, rest: &[TokenTree]) -> Option<Mistake> {
        const NAME: &str = "automatic_optimization";
        let [_, dot, name, equals, next, ..] = rest else { return None };
        let is_set = is(dot, '.') && is_word(name, NAME) && is(equals, '=') && !is(next, '=');
        let instead = python_names::attribute(NAME).filter(|_| is_set && self.fields.lack(NAME))?;
        Some((rest[..3].iter().cloned().collect(), catalogue::attribute_of_python(NAME, instead)))
    }

    /// `self.net(x)`, where `net` is a field with a layer or a metric.
    fn called_field(&self, rest: &[TokenTree]) -> Option<Mistake> {
        let [_, dot, TokenTree::Ident(field), TokenTree::Group(input), ..] = rest else { return None };
        let name = field.to_string();
        if !is(dot, '.') || !are_arguments(rest.get(3)) {
            return None;
        }
        let ty = self.fields.type_of(&name)?;
        let method = torch_names::call_of(&ty)?;
        if has_method(&name) {
            return None;
        }
        let input = borrowed(input);
        let form = method.replace("input", &input);
        let instead = format!("write `self.{name}.{form}`");
        let wrong = TokenStream::from_iter([TokenTree::from(field.clone()), rest[3].clone()]);
        Some((wrong, catalogue::attribute_of_python(name, instead)))
    }

    /// `self.log("loss", &loss)` or `ctx.log_dict(…)`: a method of Lightning's Python that is none of the type, nor of another one in the crate.
    fn of_python(&self, rest: &[TokenTree]) -> Option<Mistake> {
        let [owner, dot, TokenTree::Ident(method), arguments, ..] = rest else { return None };
        let name = method.to_string();
        if !is(dot, '.') || !are_arguments(Some(arguments)) {
            return None;
        }
        let is_context = is_word(owner, "ctx");
        let instead = python_names::method_of_lightning(&name, is_context)?;
        // a derive may write a method for a field
        if !(is_context || self.fields.lack(&name)) || has_method(&name) {
            return None;
        }
        let wrong = TokenStream::from_iter([TokenTree::from(method.clone()), arguments.clone()]);
        Some((wrong, catalogue::attribute_of_python(name, instead)))
    }

    /// `f64::from(&loss)`, of older versions of tch.
    fn number_from_tensor(&self, rest: &[TokenTree]) -> Option<Mistake> {
        let [TokenTree::Ident(number), one, other, from, TokenTree::Group(argument), ..] = rest else { return None };
        if !is(one, ':') || !is(other, ':') || !is_word(from, "from") || !are_arguments(rest.get(4)) {
            return None;
        }
        let argument: Vec<TokenTree> = argument.stream().into_iter().filter(|token| !is(token, '&')).collect();
        let end = argument.len().checked_sub(1)?;
        let loss = || match argument.as_slice() {
            [TokenTree::Ident(name)] if self.losses.iter().any(|loss| loss == name) => Some((0, name.to_string())),
            _ => None,
        };
        let (start, tensor) = self.tensors.ending_at(&argument, end).or_else(loss)?;
        let wrong = rest[..5].iter().cloned().collect();
        (start == 0).then(|| (wrong, catalogue::number_from_tensor(number, tensor)))
    }

    /// `batch.len()` of a tuple.
    fn length_of_batch(&self, rest: &[TokenTree]) -> Option<Mistake> {
        let [_, dot, len, arguments, ..] = rest else { return None };
        let is_length = is(dot, '.') && is_word(len, "len") && are_arguments(Some(arguments));
        const INSTEAD: &str = "write `batch.0.size()[0]`, the number of samples of its first tensor";
        (is_length && self.tensors.is_tuple())
            .then(|| (rest[..4].iter().cloned().collect(), catalogue::attribute_of_python("batch.len()", INSTEAD)))
    }

    /// `loss.clone()`: tch has another method of this name.
    fn clone_of_tensor(&self, tokens: &[TokenTree], place: usize) -> Option<Mistake> {
        let [TokenTree::Ident(name), dot, method, TokenTree::Group(arguments), ..] = &tokens[place..] else {
            return None;
        };
        let is_clone = is(dot, '.') && is_word(method, "clone") && arguments.stream().is_empty();
        if !is_clone || !are_arguments(tokens.get(place + 3)) {
            return None;
        }
        let follows_dot = place > 0 && is(&tokens[place - 1], '.');
        let loss = || self.losses.iter().any(|loss| loss == name).then(|| (place, name.to_string()));
        let (start, tensor) =
            self.tensors.ending_at(tokens, place).or_else(|| if follows_dot { None } else { loss() })?;
        Some((tokens[start..place + 4].iter().cloned().collect(), catalogue::cloned_tensor(tensor)))
    }
}

/// `for parameter in self.parameters()`, and `self.parameters().iter()`, as of an iterator of Python.
fn each_parameter(tokens: &[TokenTree], place: usize) -> Option<Mistake> {
    let [_, dot, name, call, then @ ..] = &tokens[place..] else { return None };
    if !is(dot, '.') || !is_word(name, "parameters") || !are_arguments(Some(call)) {
        return None;
    }
    let before = |word: &str, distance: usize| place.checked_sub(distance).is_some_and(|at| is_word(&tokens[at], word));
    let is_loop = before("in", 1) || before("in", 2) && is(&tokens[place - 1], '&') || before("in", 3);
    let is_iterated = match then {
        [TokenTree::Group(body), ..] => is_loop && body.delimiter() == Delimiter::Brace,
        [dot, method, ..] => is(dot, '.') && ["into_iter", "iter", "map"].iter().any(|name| is_word(method, name)),
        _ => false,
    };
    const INSTEAD: &str = "write `self.parameters().trainable_variables()`, or `.variables()` for all with their names";
    is_iterated.then(|| {
        let wrong = tokens[place..place + 4].iter().cloned().collect();
        (wrong, catalogue::attribute_of_python("self.parameters()", INSTEAD))
    })
}

/// `ctx.should_stop = true`
fn stopped(rest: &[TokenTree]) -> Option<Mistake> {
    let [_, dot, name, equals, next, ..] = rest else { return None };
    let is_set = is(dot, '.') && is_word(name, "should_stop") && is(equals, '=') && !is(next, '=');
    let wrong = || rest[..3].iter().cloned().collect();
    is_set.then(|| (wrong(), catalogue::attribute_of_python("should_stop", "write `ctx.stop()` to end the run")))
}

/// `ctx.optimizers()[0].zero_grad()`: the list is lent to be read.
fn changed_by_index(rest: &[TokenTree]) -> Option<Mistake> {
    const CHANGES: [&str; 5] = ["clip_grad_norm", "groups_mut", "set_lr", "set_steps", "zero_grad"];
    let [_, dot, list, call, TokenTree::Group(index), then, TokenTree::Ident(method), ..] = rest else { return None };
    let is_list = is(dot, '.') && is_word(list, "optimizers") && are_arguments(Some(call));
    let is_changed = is(then, '.') && CHANGES.iter().any(|change| method == change);
    if !is_list || !is_changed || index.delimiter() != Delimiter::Bracket {
        return None;
    }
    let index = readable_tokens(index.stream());
    let instead = format!("write `ctx.optimizer({index})`, which can be changed");
    let written = format!("ctx.optimizers()[{index}]");
    Some((rest[..5].iter().cloned().collect(), catalogue::attribute_of_python(written, instead)))
}

/// `ctx.lr_schedulers().step()`, `ctx.lr_schedulers()[0].step()`, `ctx.lr_scheduler(0).step()` and `ctx.lr_scheduler_step(0)`.
fn stepped_scheduler(rest: &[TokenTree]) -> Option<Mistake> {
    let [_, dot, TokenTree::Ident(name), TokenTree::Group(arguments), then @ ..] = rest else { return None };
    if !is(dot, '.') || !are_arguments(rest.get(3)) {
        return None;
    }
    let name = name.to_string();
    let number = || readable_tokens(arguments.stream()).split(',').next().unwrap_or_default().to_owned();
    let (index, step) = match (name.as_str(), then) {
        ("lr_schedulers", [TokenTree::Group(index), step @ ..]) if index.delimiter() == Delimiter::Bracket => {
            (readable_tokens(index.stream()), step)
        }
        ("lr_schedulers", step) => ("0".to_owned(), step),
        ("lr_scheduler", step) => (number(), step),
        ("lr_scheduler_step", _) => (number(), &[][..]),
        _ => return None,
    };
    let metric = match step {
        [dot, method, TokenTree::Group(metric), ..] if is(dot, '.') && is_word(method, "step") => {
            if metric.stream().is_empty() {
                "None".to_owned()
            } else {
                format!("Some({})", readable_tokens(metric.stream()))
            }
        }
        _ if name == "lr_scheduler_step" => "None".to_owned(),
        _ => return None,
    };
    let instead = format!(
        "write `ctx.step_lr_scheduler({index}, {metric})?`; in automatic optimization remove it, as the trainer steps the schedulers"
    );
    let end = if step.is_empty() { 4 } else { rest.len() - step.len() + 3 };
    let wrong = rest[..end].iter().cloned().collect();
    let call = if name == "lr_scheduler_step" { "lr_scheduler_step(…)" } else { "lr_schedulers().step()" };
    Some((wrong, catalogue::attribute_of_python(call, instead)))
}

/// `logits.view(-1, 4)`, of which the compiler would remove the second size.
fn sizes_in_call(tokens: &[TokenTree], place: usize) -> Option<Mistake> {
    let (TokenTree::Ident(method), TokenTree::Group(arguments)) = (&tokens[place], tokens.get(place + 1)?) else {
        return None;
    };
    let is_method = place.checked_sub(1).is_some_and(|before| is(&tokens[before], '.'));
    let is_known = ["permute", "repeat", "reshape", "view"].iter().any(|name| method == name);
    if !is_method || !is_known || !are_arguments(tokens.get(place + 1)) {
        return None;
    }
    let sizes: Vec<TokenTree> = arguments.stream().into_iter().collect();
    let is_plain = sizes.iter().all(|token| !matches!(token, TokenTree::Group(_)));
    let is_several = sizes.iter().rev().skip(1).any(|token| is(token, ','));
    if !is_plain || !is_several || has_method(&method.to_string()) {
        return None;
    }
    let form = format!("{method}([{}])", readable_tokens(arguments.stream()).trim_end_matches(',').replace("- ", "-"));
    let wrong = TokenStream::from_iter([tokens[place].clone(), tokens[place + 1].clone()]);
    Some((wrong, catalogue::name_of_pytorch(format!("tensor.{method}"), form)))
}

/// The variables that are certainly a loss: `let loss = logits.cross_entropy_for_logits(&labels);`.
pub(super) fn losses(body: &TokenStream) -> Vec<Ident> {
    const LOSSES: [&str; 7] = [
        "binary_cross_entropy_with_logits",
        "cross_entropy_for_logits",
        "huber_loss",
        "l1_loss",
        "mse_loss",
        "nll_loss",
        "smooth_l1_loss",
    ];
    if !may_mention(body, &["clone", "from"]) {
        return Vec::new();
    }
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    let found = tokens.split(|token| is(token, ';')).filter_map(|statement| match statement {
        [.., dot, TokenTree::Ident(method), TokenTree::Group(_)]
            if is(dot, '.') && LOSSES.iter().any(|loss| method == loss) =>
        {
            // statements with braces have no `;` at their end
            let start = statement.iter().rposition(|token| is_word(token, "let"))?;
            match &statement[start + 1..] {
                [TokenTree::Ident(name), equals, ..] if is(equals, '=') => Some(name.clone()),
                _ => None,
            }
        }
        _ => None,
    });
    found.filter(|name| bindings(body, &name.to_string()) == 1).collect()
}

/// The only argument as one that is borrowed; several as they are.
fn borrowed(arguments: &Group) -> String {
    let text = readable_tokens(arguments.stream());
    match text.chars().all(|letter| letter.is_alphanumeric() || letter == '_') && !text.is_empty() {
        true => format!("&{text}"),
        false => text,
    }
}

/// Whether the crate may have a method of this name, which then comes first.
fn has_method(name: &str) -> bool {
    let heads = [format!("fn {name}("), format!("fn {name}<")];
    SourceFile::of(Span::call_site())
        .is_none_or(|file| file.any_text(|text| heads.iter().any(|head| text.contains(head))))
}

/// Whether the crate may have a function of this name that is not a method.
fn is_function(name: &str) -> bool {
    let head = format!("fn {name}(");
    let is_free = |text: &str| {
        let mut heads = text.match_indices(&head);
        heads
            .any(|(place, _)| !text[place + head.len()..].split([',', ')']).next().unwrap_or_default().contains("self"))
    };
    SourceFile::of(Span::call_site()).is_none_or(|file| file.any_text(is_free))
}

/// `.interval("step")` and `.reduce("mean")`: a text in the place of a choice.
fn text_in_call(method: &str, rest: &[TokenTree]) -> Option<Mistake> {
    let TokenTree::Group(arguments) = rest.get(1).filter(|call| are_arguments(Some(call)))? else { return None };
    let mut tokens = arguments.stream().into_iter();
    let (Some(TokenTree::Literal(text)), None) = (tokens.next(), tokens.next()) else { return None };
    let written = text.to_string();
    let (variant, others) =
        python_choices::variant(method, written.trim_matches('"')).filter(|_| written.starts_with('"'))?;
    (!has_method(method)).then(|| {
        let diagnostic = catalogue::attribute_of_python(&written, format!("write `{variant}`; there are {others}"));
        (TokenTree::Literal(text).into(), diagnostic)
    })
}

/// `EarlyStopping { monitor: …, ..Default::default() }`, which has no default.
fn early_stopping(rest: &[TokenTree]) -> Option<Mistake> {
    let TokenTree::Group(fields) = rest.get(1)? else { return None };
    let tokens: Vec<TokenTree> = fields.stream().into_iter().collect();
    let is_rest = |place: usize| matches!(&tokens[place..], [one, other, default, ..] if is(one, '.') && is(other, '.') && (is_word(default, "Default") || is_word(default, "EarlyStopping")));
    let has_default = fields.delimiter() == Delimiter::Brace && (0..tokens.len()).any(is_rest);
    let is_of_prelude =
        || SourceFile::of(Span::call_site()).is_some_and(|file| !file.has_another_type("EarlyStopping"));
    (has_default && is_of_prelude())
        .then(|| (rest[..2].iter().cloned().collect(), catalogue::no_default_early_stopping()))
}
