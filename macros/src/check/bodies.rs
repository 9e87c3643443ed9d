//! What Python users write in a body, where the compiler's own error does not lead on: attributes of `self`, and keyword arguments. And
//! a backward pass that the trainer runs once more.
//!
//! A body is tokens here, not syntax. Where a mistake is found, the body is emptied, so that it causes one error.

use super::tokens::{are_arguments, is, is_word, mentions};
use super::{chosen_optimizers, constructor_calls, constructor_self, torch};
use crate::attributes::Conditions;
use crate::catalogue::{self, Diagnostic};
use crate::diagnostics::Diagnostics;
use crate::model::{Block, Written};
use crate::parse::{BlockItem, CONSTRUCTOR, Method};
use crate::python_names;
use crate::source_file::SourceFile;
use crate::types::readable_tokens;
use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::borrow::Cow;
use std::cell::OnceCell;
use syn::Type;

/// Reports the names and forms of Python in the block's methods, and empties the bodies that have one.
pub(super) fn written_as_in_python(block: &mut Block, diagnostics: &mut Diagnostics) {
    let fields = Fields { ty: &block.item.head.self_ty, found: OnceCell::new() };
    let hparams = block.possible_constructors().find_map(|new| new.hparams.map(|hparams| hparams.ty.clone()));
    let hparams = hparams.as_ref().map(|ty| Fields { ty, found: OnceCell::new() });
    for item in &mut block.item.items {
        let mut first = None;
        let (conditions, body, signature) = match item {
            BlockItem::Method(method) => {
                let signature = &method.sig;
                first = of_method(method);
                (&method.conditions, method.body.clone(), quote!(#signature))
            }
            BlockItem::Unread(method) => {
                let Some((body, signature)) = method.body_and_signature() else { continue };
                (&method.conditions, body, signature)
            }
            _ => continue,
        };
        let TokenTree::Group(body) = body else { continue };
        let has_context = mentions(&signature, "Context");
        let mut mistakes = Vec::from_iter(first);
        if mistakes.is_empty() {
            let has_checkpoint = mentions(&signature, "Checkpoint") && !torch::binds(&body.stream(), "checkpoint");
            let has_stage = mentions(&signature, "Stage") && !torch::binds(&body.stream(), "stage");
            let tensors = torch::Tensors::of(signature, &body.stream());
            let (fields, hparams) = (&fields, hparams.as_ref());
            let mistakes = &mut mistakes;
            Scan { fields, hparams, has_context, has_checkpoint, has_stage, tensors, mistakes }
                .level(body.stream(), false);
        }
        if !mistakes.is_empty() {
            let is_always_compiled = conditions.predicate().is_none();
            add(conditions, mistakes, diagnostics);
            if is_always_compiled {
                item.empty();
            }
        }
    }
}

/// Returns the mistake in what a constructor or `configure_optimizers` returns.
fn of_method(method: &Method) -> Option<(TokenStream, Diagnostic)> {
    let TokenTree::Group(body) = &method.body else { return None };
    if method.name == CONSTRUCTOR && method.sig.receiver().is_none() {
        return constructor_self::mistake(&body.stream());
    }
    chosen_optimizers::mistake(method, &body.stream())
}

fn add(conditions: &Conditions, mistakes: Vec<(TokenStream, Diagnostic)>, diagnostics: &mut Diagnostics) {
    diagnostics.of_method(conditions, |diagnostics| {
        for (tokens, diagnostic) in mistakes {
            diagnostics.add(tokens, diagnostic);
        }
    });
}

/// The fields of a type, which its file tells.
struct Fields<'a> {
    ty: &'a Type,
    found: OnceCell<Option<Vec<String>>>,
}

impl Fields<'_> {
    /// Whether the type certainly has no such field.
    fn lack(&self, name: &str) -> bool {
        self.found().is_some_and(|fields| fields.iter().all(|field| field != name))
    }

    /// Whether the type certainly has the field.
    fn have(&self, name: &str) -> bool {
        self.found().is_some_and(|fields| fields.iter().any(|field| field == name))
    }

    fn found(&self) -> Option<&Vec<String>> {
        self.found.get_or_init(|| SourceFile::of(Span::call_site())?.fields(self.ty)).as_ref()
    }
}

struct Scan<'a> {
    fields: &'a Fields<'a>,
    /// The fields of the hyperparameters.
    hparams: Option<&'a Fields<'a>>,
    /// Whether `ctx` is a context.
    has_context: bool,
    /// Whether `checkpoint` is a checkpoint.
    has_checkpoint: bool,
    /// Whether `stage` is a stage.
    has_stage: bool,
    tensors: torch::Tensors,
    mistakes: &'a mut Vec<(TokenStream, Diagnostic)>,
}

impl Scan<'_> {
    /// Looks through tokens and the groups among them. In a macro call, `name = value` is what the macro makes of it.
    fn level(&mut self, tokens: TokenStream, is_of_macro: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (place, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(ident) => {
                    self.attribute(ident, &tokens[..place], &tokens[place + 1..]);
                    if !is_of_macro {
                        let path = torch::path(&tokens, place);
                        let attribute = || torch::attribute(&tokens, place, &self.tensors);
                        let index = || torch::index(&tokens, place, &self.tensors);
                        let layer = || torch::layer(&tokens, place, &self.tensors);
                        let call = || constructor_calls::mistake(&tokens, place);
                        self.mistakes.extend(path.or_else(attribute).or_else(index).or_else(layer).or_else(call));
                        self.text_in_brackets(&tokens[place..]);
                        self.stage(&tokens[place..]);
                    }
                }
                TokenTree::Group(group) => {
                    let before = place.checked_sub(1).map(|before| &tokens[before]);
                    let is_of_macro = is_of_macro || matches!(before, Some(mark) if is(mark, '!') || is(mark, '#'));
                    if let (Some(TokenTree::Ident(name)), Delimiter::Parenthesis, false) =
                        (before, group.delimiter(), is_of_macro)
                    {
                        self.keyword_arguments(name, group);
                        self.missing_argument(&tokens[..place], group);
                    }
                    if let (Some(TokenTree::Ident(name)), Delimiter::Brace) = (before, group.delimiter())
                        && name == "TrainerConfig"
                    {
                        self.texts(group);
                    }
                    self.level(group.stream(), is_of_macro);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// `self.current_epoch` or `ctx.trainer.max_epochs`: an attribute of Lightning's Python that is not a field.
    fn attribute(&mut self, owner: &Ident, before: &[TokenTree], after: &[TokenTree]) {
        let (is_self, is_context) = (owner == "self", self.has_context && owner == "ctx");
        if !(is_self || is_context) || before.last().is_some_and(|token| is(token, '.')) {
            return;
        }
        let after = if is_context { without_call_of_trainer(after) } else { Cow::Borrowed(after) };
        let chain: Vec<&Ident> = after
            .chunks(2)
            .map_while(|pair| match pair {
                [dot, TokenTree::Ident(name)] if is(dot, '.') => Some(name),
                _ => None,
            })
            .collect();
        let next = after.get(2);
        let is_method = are_arguments(next) || next.is_some_and(|token| is(token, ':'));
        let Some(first) = chain.first().map(ToString::to_string) else { return };
        if is_method || python_names::attribute(&first).is_none() {
            return;
        }
        // the methods of Rust among them are explained by the compiler
        if is_self && !self.fields.lack(&first) || is_context && python_names::is_of_context(&first) {
            return;
        }
        let instead = |place: usize| {
            let is_of_trainer = place > 0 && *chain[place - 1] == "trainer";
            let of_trainer = |name: &str| is_of_trainer.then(|| python_names::of_trainer(name)).flatten();
            let name = chain[place].to_string();
            python_names::attribute(&name).or_else(|| of_trainer(&name))
        };
        let known = (0..chain.len()).map_while(|place| Some((chain[place], instead(place)?)));
        let Some((meant, instead)) = known.last() else { return };
        let wrong = TokenStream::from_iter([TokenTree::from(chain[0].clone()), meant.clone().into()]);
        self.mistakes.push((wrong, catalogue::attribute_of_python(meant, instead)));
    }

    /// `ctx.log(&loss)`: a call with one of its arguments.
    fn missing_argument(&mut self, before: &[TokenTree], arguments: &Group) {
        let [.., TokenTree::Ident(owner), dot, TokenTree::Ident(method)] = before else { return };
        let is_complete = arguments.stream().into_iter().any(|token| is(&token, ',')) || arguments.stream().is_empty();
        if owner != "ctx" || !self.has_context || !is(dot, '.') || is_complete {
            return;
        }
        if let Some((all, form)) = python_names::form(&method.to_string()) {
            let wrong = TokenStream::from_iter([TokenTree::from(method.clone()), arguments.clone().into()]);
            self.mistakes.push((wrong, catalogue::missing_argument(method, all, form)));
        }
    }

    /// `self.hparams["lr"]`, and `checkpoint["seen"] = 3`.
    fn text_in_brackets(&mut self, tokens: &[TokenTree]) {
        let [TokenTree::Ident(owner), TokenTree::Group(index), after @ ..] = tokens else { return };
        let name = index.stream().to_string();
        let Some(text) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) else { return };
        let is_hyperparameter = || owner == "hparams" && self.hparams.is_some_and(|hparams| hparams.have(text));
        let diagnostic = if index.delimiter() != Delimiter::Bracket {
            return;
        } else if is_hyperparameter() {
            catalogue::indexed_hyperparameter(text)
        } else if owner == "checkpoint" && self.has_checkpoint {
            match after {
                [equals, next, ..] if is(equals, '=') && !is(next, '=') => catalogue::set_in_checkpoint(name),
                _ => catalogue::read_from_checkpoint(name),
            }
        } else {
            return;
        };
        self.mistakes.push((tokens[..2].iter().cloned().collect(), diagnostic));
    }

    /// `stage == "fit"`.
    fn stage(&mut self, tokens: &[TokenTree]) {
        let [TokenTree::Ident(stage), first, second, TokenTree::Literal(text), ..] = tokens else { return };
        let is_comparison = (is(first, '=') || is(first, '!')) && is(second, '=');
        if stage != "stage" || !self.has_stage || !is_comparison {
            return;
        }
        if let Some(variant) = python_names::stage(&text.to_string()) {
            let instead = format!("write `{variant}`");
            self.mistakes.push((text.clone().into_token_stream(), catalogue::attribute_of_python(text, instead)));
        }
    }

    /// `TrainerConfig { precision: "16-mixed", … }`: texts in the place of choices.
    fn texts(&mut self, fields: &Group) {
        let tokens: Vec<TokenTree> = fields.stream().into_iter().collect();
        for field in tokens.split(|token| is(token, ',')) {
            let [TokenTree::Ident(name), colon, TokenTree::Literal(text)] = field else { continue };
            let written = text.to_string();
            let Some(text) = written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { continue };
            if let Some(choice) = python_names::choice(&name.to_string(), text)
                && is(colon, ':')
            {
                let instead = format!("write `{name}: {choice}`");
                self.mistakes.push((field[2].clone().into(), catalogue::attribute_of_python(&written, instead)));
            }
        }
    }

    /// `ctx.log("loss", &loss, prog_bar = true)`: arguments of a call with names.
    fn keyword_arguments(&mut self, function: &Ident, arguments: &Group) {
        let tokens: Vec<TokenTree> = arguments.stream().into_iter().collect();
        let named: Vec<Keyword<'_>> = tokens.split(|token| is(token, ',')).filter_map(Keyword::of).collect();
        let (Some(first), Some(last)) = (named.first(), named.last()) else { return };
        let all = |text: &dyn Fn(&Keyword<'_>) -> String, between: &str| {
            named.iter().map(text).collect::<Vec<_>>().join(between)
        };
        let written = all(&|keyword| format!("{} = {}", keyword.name, keyword.value), ", ");
        let methods = all(&|keyword| python_names::method_for(&keyword.name.to_string(), &keyword.value), "");
        let values = all(&|keyword| keyword.value.clone(), ", ");
        let diagnostic = if function == "log" {
            catalogue::keywords_of_log(written, methods)
        } else {
            catalogue::keywords(written, values, methods)
        };
        let wrong = TokenStream::from_iter([TokenTree::from(first.name.clone()), last.end.clone()]);
        self.mistakes.push((wrong, diagnostic));
    }
}

/// Reads `ctx.trainer().callback_metrics` as `ctx.trainer.callback_metrics`.
fn without_call_of_trainer(after: &[TokenTree]) -> Cow<'_, [TokenTree]> {
    match after {
        [dot, name, TokenTree::Group(call), next, ..]
            if is_word(name, "trainer") && call.stream().is_empty() && is(next, '.') =>
        {
            [dot, name].into_iter().chain(&after[3..]).cloned().collect()
        }
        _ => Cow::Borrowed(after),
    }
}

/// An argument with a name, `prog_bar = true`.
struct Keyword<'a> {
    name: &'a Ident,
    value: String,
    /// The last token of the value.
    end: &'a TokenTree,
}

impl<'a> Keyword<'a> {
    fn of(argument: &'a [TokenTree]) -> Option<Self> {
        let [TokenTree::Ident(name), TokenTree::Punct(equals), value @ ..] = argument else { return None };
        let end = value.last().filter(|_| equals.as_char() == '=' && equals.spacing() == Spacing::Alone)?;
        let value = readable_tokens(value.iter().cloned().collect());
        let value = match value.as_str() {
            "True" | "False" => value.to_lowercase(),
            _ => value,
        };
        Some(Self { name, value, end })
    }
}

/// Rejects what a step with a loss leaves to automatic optimization: the backward pass, and the step of the optimizer.
pub(super) fn done_twice(hook: &Written, is_automatic: bool, diagnostics: &mut Diagnostics) {
    let has_loss = hook.declared.step().is_some_and(|step| step.has_loss);
    let TokenTree::Group(body) = &hook.method.body else { return };
    if has_loss && is_automatic {
        let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
        second_backward(&tokens, diagnostics);
        second_step(&tokens, diagnostics);
    }
}

/// Rejects `loss.backward()` before `loss` is returned.
fn second_backward(body: &[TokenTree], diagnostics: &mut Diagnostics) {
    let Some(loss) = returned_variable(body) else { return };
    let calls = body.windows(4).enumerate().filter(|(_, call)| match call {
        [TokenTree::Ident(owner), dot, name, TokenTree::Group(arguments)] => {
            is(dot, '.') && is_word(name, "backward") && has_arguments_of(owner, &loss, arguments)
        }
        _ => false,
    });
    // another value of the name may be returned
    let is_bound = |pair: &[TokenTree]| match pair {
        [TokenTree::Ident(word), TokenTree::Ident(name)] => (word == "let" || word == "mut") && *name == loss,
        _ => false,
    };
    for (_, call) in calls.filter(|(place, _)| !body[*place..].windows(2).any(is_bound)) {
        add_call(call, |call| catalogue::second_backward(call, &loss), diagnostics);
    }
}

/// Rejects `ctx.optimizer(0).step()`.
fn second_step(body: &[TokenTree], diagnostics: &mut Diagnostics) {
    for call in body.windows(7) {
        let names = [(0, "ctx"), (2, "optimizer"), (5, "step")];
        let is_step = names.iter().all(|(place, name)| is_word(&call[*place], name)) && is(&call[4], '.');
        if is_step && matches!(&call[6], TokenTree::Group(arguments) if arguments.stream().is_empty()) {
            add_call(call, catalogue::second_step, diagnostics);
        }
    }
}

/// Adds a diagnostic about a call, with its text.
fn add_call(call: &[TokenTree], about: impl Fn(String) -> Diagnostic, diagnostics: &mut Diagnostics) {
    let call: TokenStream = call.iter().cloned().collect();
    let readable = readable_tokens(call.clone()).replace(" . ", ".");
    diagnostics.add(call, about(readable));
}

/// Whether it is `loss.backward()`, or `self.backward(ctx, &loss)`.
fn has_arguments_of(owner: &Ident, loss: &Ident, arguments: &Group) -> bool {
    (owner == loss && arguments.stream().is_empty())
        || (owner == "self" && mentions(&arguments.stream(), &loss.to_string()))
}

/// The variable that the body returns at its end: `loss`, or that of `Ok(loss)` or `Some(loss)`.
fn returned_variable(tokens: &[TokenTree]) -> Option<Ident> {
    let before = |length: usize| tokens.len().checked_sub(length + 1).map(|place| &tokens[place]);
    let begins = |token: Option<&TokenTree>| match token {
        None => true,
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(token) => is(token, ';'),
    };
    match tokens {
        [.., TokenTree::Ident(loss)] if begins(before(1)) => Some(loss.clone()),
        [.., TokenTree::Ident(wrapper), TokenTree::Group(group)]
            if begins(before(2)) && (wrapper == "Ok" || wrapper == "Some") =>
        {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            returned_variable(&inner)
        }
        _ => None,
    }
}
