//! The signature of a hook: its qualifiers, receiver, parameters and return type.

use crate::attributes;
use crate::catalogue::{self, Diagnostic};
use crate::diagnostics::Diagnostics;
use crate::hooks::{Hook, Parameter, parsed};
use crate::model::{self, Written};
use crate::python_names;
use crate::types;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, Pat, PatIdent, PatType, ReturnType, Type};

/// Returns whether the loops can call the hook; errors are reported.
pub(super) fn is_sound(hook: &Written, diagnostics: &mut Diagnostics) -> bool {
    let before = diagnostics.count();
    qualifiers(hook, diagnostics);
    receiver(hook, diagnostics);
    if !(batch_in_parts(hook, diagnostics) || trainer_and_module(hook, diagnostics)) {
        for input in &hook.method.sig.inputs {
            if let FnArg::Typed(parameter) = input {
                self::parameter(hook.declared, parameter, diagnostics);
            }
        }
    }
    repeated_parameters(hook, diagnostics);
    output(hook, diagnostics);
    minus_one(hook, diagnostics);
    diagnostics.count() == before
}

/// The loops call a hook without awaiting it or choosing type arguments.
fn qualifiers(hook: &Written, diagnostics: &mut Diagnostics) {
    let signature = &hook.method.sig;
    let name = hook.declared.name();
    if let Some(keyword) = &signature.asyncness {
        diagnostics.add(keyword, catalogue::async_hook(name));
    }
    if let Some(keyword) = &signature.unsafety {
        diagnostics.add(keyword, catalogue::unsafe_hook(name));
    }
    if let Some(feature) = hook.method.attrs.iter().find(|attribute| attribute.path().is_ident("target_feature")) {
        diagnostics.add(feature, catalogue::hook_of_some_processors(name));
    }
    // another name for `module` is reported as such
    let is_known = |argument: &model::Argument<'_>| hook.declared.parameter(&argument.name).is_some();
    if hook.method.is_generic() && hook.method.arguments().iter().all(is_known) {
        let diagnostic = match hook.declared.parameter("module") {
            Some(_) => catalogue::generic_callback_hook(name, hook.declared.form("M: LightningModule", "M")),
            None => catalogue::generic_hook(name),
        };
        diagnostics.add(&signature.generics, diagnostic);
    }
    let bounds = hook.method.bounds();
    if !hook.method.is_generic() && !bounds.is_empty() {
        let readable = types::readable_tokens(quote!(#(#bounds),*));
        diagnostics.add(quote!(#(#bounds),*), catalogue::bounded_hook(name, readable));
    }
}

fn receiver(hook: &Written, diagnostics: &mut Diagnostics) {
    let (name, may_change) = (hook.declared.name(), hook.declared.takes_self_mutably());
    match hook.method.sig.receiver() {
        None if may_change => diagnostics.add(&hook.method.sig.ident, catalogue::hook_without_self(name)),
        None => diagnostics.add(&hook.method.sig.ident, catalogue::question_without_self(name)),
        Some(receiver) => match receiver.ty.as_ref() {
            Type::Reference(reference) if reference.mutability.is_some() && !may_change => {
                diagnostics.add(receiver, catalogue::question_without_self(name));
            }
            Type::Reference(_) => {}
            _ => diagnostics.add(receiver, catalogue::hook_takes_self_away(name)),
        },
    }
}

/// Rejects `images: &Tensor, labels: &Tensor` in the place of the batch. Returns whether the hook has such parameters.
fn batch_in_parts(hook: &Written, diagnostics: &mut Diagnostics) -> bool {
    let (parts, types): (Vec<&PatIdent>, Vec<&Type>) = hook.parts_of_batch().into_iter().unzip();
    if parts.is_empty() {
        return false;
    }
    let types: Vec<String> = types.iter().map(|ty| types::readable(types::without_reference(ty))).collect();
    let names: Vec<String> = parts.iter().map(|part| part.ident.to_string()).collect();
    let diagnostic = catalogue::batch_in_parts(hook.declared.name(), types.join(", "), names.join(", "));
    diagnostics.add(quote!(#(#parts)*), diagnostic);
    true
}

/// Rejects Lightning's `trainer` and `pl_module` together, the parameters of each of its callbacks' hooks.
fn trainer_and_module(hook: &Written, diagnostics: &mut Diagnostics) -> bool {
    let named = |name: &str| hook.method.named_parameters().find(|(pattern, _)| model::argument_name(pattern) == name);
    let (Some((trainer, _)), Some((module, ty))) = (named("trainer"), named("pl_module")) else { return false };
    let has = |name: &str| hook.declared.parameter(name).is_some();
    if !has("ctx") || !has("module") {
        return false;
    }
    let module_type = types::readable(ty);
    let diagnostic = catalogue::trainer_and_module(hook.declared.name(), module_type);
    diagnostics.add(quote!(#trainer #module), diagnostic);
    true
}

/// Every parameter must be one of the hook's, with its name and its type.
fn parameter(hook: Hook, written: &PatType, diagnostics: &mut Diagnostics) {
    if let Some(condition) = written.attrs.iter().find(|attribute| attributes::is_conditional(attribute)) {
        diagnostics.add(condition, catalogue::conditional_parameter());
        return;
    }
    let name = hook.name();
    let Pat::Ident(pattern) = written.pat.as_ref() else {
        let diagnostic = match written.pat.as_ref() {
            Pat::Tuple(pattern) if hook.is_step() => {
                let ty = types::readable(&written.ty);
                catalogue::batch_taken_apart(name, ty, types::readable_tokens(quote!(#pattern)))
            }
            _ => catalogue::parameter_without_name(name, hook.parameter_list()),
        };
        diagnostics.add(&written.pat, diagnostic);
        return;
    };
    let asked = model::argument_name(pattern);
    match hook.parameter(&asked) {
        Some(parameter) => parameter_type(hook, parameter, &written.ty, diagnostics),
        None => diagnostics.add(&pattern.ident, unknown_parameter(hook, &asked)),
    }
}

/// No parameter may occur twice, with or without a `_` before its name.
fn repeated_parameters(hook: &Written, diagnostics: &mut Diagnostics) {
    let mut seen: Vec<String> = Vec::new();
    for (pattern, _) in hook.method.named_parameters() {
        let asked = model::argument_name(pattern);
        if hook.declared.parameter(&asked).is_none() {
            continue;
        }
        if seen.contains(&asked) {
            diagnostics.add(&pattern.ident, catalogue::parameter_twice(hook.declared.name(), asked));
        } else {
            seen.push(asked);
        }
    }
}

fn unknown_parameter(hook: Hook, asked: &str) -> Diagnostic {
    let (name, list) = (hook.name(), hook.parameter_list());
    let is_near =
        |parameter: &Parameter| strsim::damerau_levenshtein(asked, parameter.name) * 3 <= asked.chars().count();
    if let Some(instead) = python_names::parameter(hook, asked) {
        return catalogue::parameter_of_lightning(name, asked, instead);
    }
    match hook.parameters().find(is_near) {
        Some(meant) => catalogue::misspelled_parameter(name, asked, meant.name, list),
        None => catalogue::unknown_parameter(name, asked, list),
    }
}

/// Rejects types that cannot be correct. rustc, which resolves aliases, compares the others with the declaration.
fn parameter_type(hook: Hook, parameter: Parameter, written: &Type, diagnostics: &mut Diagnostics) {
    if types::readable(written) == parameter.written() {
        return;
    }
    let form = hook.form("M: LightningModule", "M");
    let (hook, name, declared) = (hook.name(), parameter.name, parsed(parameter.written()));
    let meant = (name == "batch").then(|| types::meant_batch(types::without_reference(written))).flatten();
    if name == "module" && types::is_dyn(written) {
        diagnostics.add(written, catalogue::dyn_module(hook, form));
    } else if name == "batch" && types::has_dyn(written) {
        diagnostics.add(written, catalogue::dyn_batch(hook));
    } else if let Some(meant) = meant {
        let (right, wrong) = (types::expected(&declared, &meant), types::readable(written));
        diagnostics.add(written, catalogue::parameter_type(hook, name, right, wrong));
    } else if types::surely_differ(&declared, written) || (name == "ctx" && types::is_trainer(written)) {
        let (right, wrong) = (types::expected(&declared, written), types::readable(written));
        diagnostics.add(written, catalogue::parameter_type(hook, name, right, wrong));
    } else if types::has_impl(written) {
        diagnostics.add(written, catalogue::generic_parameter(hook, name));
    } else if name == "batch" {
        let owned = match written {
            Type::Reference(reference) => &reference.elem,
            owned => owned,
        };
        if let Some(borrow) = types::borrow(owned) {
            diagnostics.add(borrow, catalogue::borrowing_batch());
        }
    }
}

/// A training step of automatic optimization returns its loss: without one nothing would be trained.
pub(super) fn loss(hook: &Written, is_automatic: bool, diagnostics: &mut Diagnostics) {
    let has_loss = hook.declared.step().is_some_and(|step| step.has_loss);
    if !has_loss || !is_automatic || !hook.returns_nothing() {
        return;
    }
    let diagnostic = catalogue::step_without_loss(hook.declared.name());
    match &hook.method.sig.output {
        ReturnType::Default => diagnostics.add(&hook.method.sig.ident, diagnostic),
        ReturnType::Type(_, ty) => diagnostics.add(ty, diagnostic),
    }
}

/// Lightning's `return -1` skips the rest of the epoch.
fn minus_one(hook: &Written, diagnostics: &mut Diagnostics) {
    if let Some(number) = hook.returned_minus_one() {
        let (number, name) = (number.into_iter().collect::<TokenStream>(), hook.declared.name());
        let inputs = &hook.method.sig.inputs;
        let form = types::readable_tokens(quote!(fn name(#inputs) -> Flow)).replacen("name", name, 1);
        diagnostics.add(number, catalogue::minus_one(name, form));
    }
}

/// The return type of a hook for its value, as it is mostly written.
fn form_of_value(hook: &Written) -> Option<&'static str> {
    match hook.declared.value()? {
        "Optimizers" => Some("-> AdamW"),
        CALLBACKS => Some("-> (ModelCheckpoint, EarlyStopping)"),
        _ if hook.declared.is_dataloader() => Some("-> Result<DataLoader<Tensor>>"),
        _ => None,
    }
}

/// Whether it is a type of `tch::nn`.
fn is_of_tch(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.iter().rev().nth(1).is_some_and(|outer| outer.ident == "nn")
}

/// The value of `configure_callbacks`.
const CALLBACKS: &str = "Vec<Box<dyn Callback<Self>>>";

/// The type of a hook's value must have a name, and a step's value must outlive the step.
fn output(hook: &Written, diagnostics: &mut Diagnostics) {
    let (name, output) = (hook.declared.name(), hook.method.output());
    if let Some((alias, meant)) = hook.returned_alias() {
        diagnostics.add(hook.method.returned(), catalogue::alias_of_result(name, alias, meant));
    } else if let Some(several) = hook.returned_loaders() {
        let form = types::readable(&several);
        diagnostics.add(&output, catalogue::loaders_in_tuple(name, form));
    } else if let (ReturnType::Default, Some(form)) = (&hook.method.sig.output, form_of_value(hook)) {
        diagnostics.add(&hook.method.sig.ident, catalogue::returns_nothing(name, form));
    } else if types::has_impl(&output) && hook.declared.value() != Some("Optimizers") {
        diagnostics.add(output, catalogue::hidden_output(name));
    } else if hook.returns_callbacks_without_module() {
        let readable = types::readable(&output);
        diagnostics.add(output, catalogue::callbacks_without_module(name, readable));
    } else if hook.returns_optimizer_object() {
        let readable = types::readable(&output);
        diagnostics.add(output, catalogue::optimizer_object(name, readable));
    } else if let (Type::Reference(reference), Some("Optimizers" | CALLBACKS)) = (&output, hook.declared.value()) {
        let (right, wrong) = (types::readable(&reference.elem), types::readable(&output));
        diagnostics.add(&output, catalogue::returned_type(name, right, wrong));
    } else if hook.declared.value() == Some("Optimizers") && is_of_tch(&output) {
        let readable = types::readable(&output);
        diagnostics.add(&output, catalogue::optimizer_of_tch(name, readable));
    } else if let Some(plateau) = hook.returned_plateau() {
        diagnostics.add(plateau, catalogue::plateau_without_metric(name));
    } else if hook.declared.is_step() {
        if let Some(borrow) = types::borrow(&output) {
            let owned = types::owned(&hook.method.returned());
            let instead = match types::borrow(&owned) {
                None => format!("`-> {}`", types::readable(&owned)),
                Some(_) => "a type without lifetimes".to_owned(),
            };
            diagnostics.add(borrow, catalogue::borrowed_output(name, instead));
        }
    } else if let (None, Some(declared)) = (hook.declared.value(), hook.declared.output()) {
        let (declared, written) = (parsed(declared), hook.method.returned());
        let is_owned = matches!(declared, Type::Reference(_)) && types::is_collection(&written);
        let is_part_of_store = matches!(declared, Type::Reference(_)) && is_of_tch(&written);
        let differs = is_owned
            || is_part_of_store
            || types::surely_differ(&declared, &written)
            || types::borrows_less(&declared, &written)
            || types::lives_less(&declared, &written)
            || hook.method.returns_result();
        if differs {
            let (right, wrong) = (types::readable(&declared), types::readable(&written));
            diagnostics.add(written, catalogue::returned_type(name, right, wrong));
        }
    }
}
