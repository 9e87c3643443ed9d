//! What Python users write in a body, where the compiler's own error does not lead on: attributes of `self`, and keyword arguments.
//!
//! A body is tokens here, not syntax. Where a mistake is found, the body is emptied, so that it causes one error.

use super::tokens::{are_arguments, is, is_word, mentions};
use super::{
    chosen_optimizers, constructor_calls, constructor_self, context_calls, habits, manual_optimization, question_mark,
    several_types, text_errors, torch, torchmetrics,
};
use crate::attributes::Conditions;
use crate::catalogue::{self, Diagnostic};
use crate::diagnostics::Diagnostics;
use crate::hooks::Role;
use crate::model::Block;
use crate::parse::{BlockItem, CONSTRUCTOR, Method};
use crate::source_file::SourceFile;
use crate::types::readable_tokens;
use crate::{python_choices, python_names};
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
    let has_forward = block.has("forward") || block.other_methods().any(|(method, _)| method == "forward");
    let is_manual = block.role == Role::Module && !block.arguments.automatic_optimization;
    for item in &mut block.item.items {
        let is_hook = |name: &str| block.hooks.iter().any(|hook| hook.declared.name() == name);
        let mut first = None;
        let (conditions, body, signature, name) = match item {
            BlockItem::Method(method) => {
                let signature = &method.sig;
                let without_result = || question_mark::mistake(method).filter(|_| is_hook(&method.name));
                first = of_method(method).or_else(without_result);
                (&method.conditions, method.body.clone(), quote!(#signature), method.name.clone())
            }
            BlockItem::Unread(method) => {
                let Some((body, signature)) = method.body_and_signature() else { continue };
                (&method.conditions, body, signature, method.ident.to_string())
            }
            _ => continue,
        };
        let TokenTree::Group(body) = body else { continue };
        let has_context = mentions(&signature, "Context");
        let hook = block.hooks.iter().find(|hook| hook.declared.name() == name).map(|hook| hook.declared);
        let method = manual_optimization::Method { name: &name, signature: &signature, body: &body.stream(), hook };
        let mut mistakes = Vec::from_iter(first);
        mistakes.extend(method.mistakes(is_manual, has_context));
        if mistakes.is_empty() {
            let has_checkpoint = mentions(&signature, "Checkpoint") && !torch::binds(&body.stream(), "checkpoint");
            let has_stage = mentions(&signature, "Stage") && !torch::binds(&body.stream(), "stage");
            let tensors = torch::Tensors::of(signature, &body.stream());
            let (fields, hparams) = (&fields, hparams.as_ref());
            let mistakes = &mut mistakes;
            let losses = habits::losses(&body.stream());
            let (name, losses) = (name.as_str(), losses.as_slice());
            Scan {
                name,
                fields,
                hparams,
                has_context,
                has_checkpoint,
                has_stage,
                has_forward,
                losses,
                tensors,
                mistakes,
            }
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
    let body = body.stream();
    let returned = chosen_optimizers::mistake(method, &body).or_else(|| several_types::mistake(method, &body));
    returned.or_else(|| text_errors::mistake(method, &body))
}

fn add(conditions: &Conditions, mistakes: Vec<(TokenStream, Diagnostic)>, diagnostics: &mut Diagnostics) {
    diagnostics.of_method(conditions, |diagnostics| {
        for (tokens, diagnostic) in mistakes {
            diagnostics.add(tokens, diagnostic);
        }
    });
}

/// The fields of a type, which its file tells.
pub(super) struct Fields<'a> {
    ty: &'a Type,
    found: OnceCell<Option<Vec<(String, String)>>>,
}

impl Fields<'_> {
    /// Whether the type certainly has no such field.
    pub(super) fn lack(&self, name: &str) -> bool {
        self.found().is_some_and(|fields| fields.iter().all(|(field, _)| field != name))
    }

    /// Whether the type certainly has the field.
    fn have(&self, name: &str) -> bool {
        self.type_of(name).is_some()
    }

    /// Returns the name of the field's type, if the type certainly has the field.
    pub(super) fn type_of(&self, name: &str) -> Option<String> {
        self.found()?.iter().find(|(field, _)| field == name).map(|(_, ty)| ty.clone())
    }

    fn found(&self) -> Option<&Vec<(String, String)>> {
        self.found.get_or_init(|| SourceFile::of(Span::call_site())?.fields(self.ty)).as_ref()
    }
}

struct Scan<'a> {
    /// The name of the method.
    name: &'a str,
    fields: &'a Fields<'a>,
    /// The fields of the hyperparameters.
    hparams: Option<&'a Fields<'a>>,
    /// Whether `ctx` is a context.
    has_context: bool,
    /// Whether `checkpoint` is a checkpoint.
    has_checkpoint: bool,
    /// Whether `stage` is a stage.
    has_stage: bool,
    /// Whether the block has a method `forward`.
    has_forward: bool,
    /// The variables that are a loss.
    losses: &'a [Ident],
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
                        let call = || {
                            constructor_calls::mistake(&tokens, place).or_else(|| torchmetrics::mistake(&tokens, place))
                        };
                        let of_context =
                            || if self.has_context { context_calls::mistake(&tokens, place) } else { None };
                        let habit = || self.method().mistake(&tokens, place);
                        let found = path.or_else(attribute).or_else(index).or_else(layer).or_else(call);
                        self.mistakes.extend(found.or_else(of_context).or_else(habit));
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

    fn method(&self) -> habits::Method<'_> {
        let Self { name, fields, tensors, has_context, has_forward, losses, .. } = self;
        let (has_context, has_forward) = (*has_context, *has_forward);
        habits::Method { name, fields, tensors, has_context, has_forward, losses }
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
        if let Some(variant) = python_choices::stage(&text.to_string()) {
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
            if let Some(choice) = python_choices::choice(&name.to_string(), text)
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
