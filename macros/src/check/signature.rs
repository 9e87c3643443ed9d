//! How a hook is written: what stands before `fn`, its receiver, its parameters, and what it returns.

use crate::attributes;
use crate::catalogue::{self, Mistake};
use crate::hooks::{Hook, Parameter, parsed};
use crate::mistakes::Mistakes;
use crate::model::{self, Written};
use crate::types;
use syn::{FnArg, Pat, PatType, Type};

/// Whether the loops can call the hook as it is written; every mistake is noted.
pub(crate) fn is_sound(hook: &Written, mistakes: &mut Mistakes) -> bool {
    let before = mistakes.count();
    qualifiers(hook, mistakes);
    receiver(hook, mistakes);
    for input in &hook.method.sig.inputs {
        if let FnArg::Typed(parameter) = input {
            self::parameter(hook.declared, parameter, mistakes);
        }
    }
    repeated_parameters(hook, mistakes);
    output(hook, mistakes);
    mistakes.count() == before
}

/// A hook is called by the loops, which neither await it nor choose type arguments for it.
fn qualifiers(hook: &Written, mistakes: &mut Mistakes) {
    let signature = &hook.method.sig;
    let name = hook.declared.name();
    if let Some(keyword) = &signature.asyncness {
        mistakes.add(keyword, catalogue::async_hook(name));
    }
    if let Some(keyword) = &signature.unsafety {
        mistakes.add(keyword, catalogue::unsafe_hook(name));
    }
    if let Some(feature) = hook.method.attrs.iter().find(|attribute| attribute.path().is_ident("target_feature")) {
        mistakes.add(feature, catalogue::hook_of_some_processors(name));
    }
    if hook.method.is_generic() {
        mistakes.add(&signature.generics, catalogue::generic_hook(name));
    }
}

fn receiver(hook: &Written, mistakes: &mut Mistakes) {
    let name = hook.declared.name();
    match hook.method.sig.receiver() {
        None => mistakes.add(&hook.method.sig.ident, catalogue::hook_without_self(name)),
        Some(receiver) if !matches!(receiver.ty.as_ref(), Type::Reference(_)) => {
            mistakes.add(receiver, catalogue::hook_takes_self_away(name));
        }
        Some(_) => {}
    }
}

/// Every parameter is one of the hook's, asked for by its name and with its type.
fn parameter(hook: Hook, written: &PatType, mistakes: &mut Mistakes) {
    if let Some(condition) = written.attrs.iter().find(|attribute| attributes::is_conditional(attribute)) {
        mistakes.add(condition, catalogue::conditional_parameter());
        return;
    }
    let name = hook.name();
    let Pat::Ident(pattern) = written.pat.as_ref() else {
        mistakes.add(&written.pat, catalogue::parameter_without_name(name, hook.parameter_list()));
        return;
    };
    let asked = model::argument_name(pattern);
    match hook.parameter(&asked) {
        Some(parameter) => parameter_type(hook, parameter, &written.ty, mistakes),
        None => mistakes.add(&pattern.ident, unknown_parameter(hook, &asked)),
    }
}

/// A parameter that is asked for a second time, with or without a `_` before its name.
fn repeated_parameters(hook: &Written, mistakes: &mut Mistakes) {
    let mut seen: Vec<String> = Vec::new();
    for (pattern, _) in hook.method.named_parameters() {
        let asked = model::argument_name(pattern);
        if hook.declared.parameter(&asked).is_none() {
            continue;
        }
        if seen.contains(&asked) {
            mistakes.add(&pattern.ident, catalogue::parameter_twice(hook.declared.name(), asked));
        } else {
            seen.push(asked);
        }
    }
}

fn unknown_parameter(hook: Hook, asked: &str) -> Mistake {
    let (name, list) = (hook.name(), hook.parameter_list());
    let is_near =
        |parameter: &Parameter| strsim::damerau_levenshtein(asked, parameter.name) * 3 <= asked.chars().count();
    match hook.parameters().find(is_near) {
        Some(meant) => catalogue::misspelled_parameter(name, asked, meant.name, list),
        None => catalogue::unknown_parameter(name, asked, list),
    }
}

/// Refuses the types that can't be right. Others are held against the declaration by the compiler, which knows aliases.
fn parameter_type(hook: Hook, parameter: Parameter, written: &Type, mistakes: &mut Mistakes) {
    if types::readable(written) == parameter.written() {
        return;
    }
    let (hook, name, declared) = (hook.name(), parameter.name, parsed(parameter.written()));
    if types::surely_differ(&declared, written) {
        let (right, wrong) = (types::expected(&declared, written), types::readable(written));
        mistakes.add(written, catalogue::parameter_type(hook, name, right, wrong));
    } else if types::has_impl(written) {
        mistakes.add(written, catalogue::generic_parameter(hook, name));
    } else if name == "batch" {
        let owned = match written {
            Type::Reference(reference) => &reference.elem,
            owned => owned,
        };
        if let Some(borrow) = types::borrow(owned) {
            mistakes.add(borrow, catalogue::borrowing_batch());
        }
    }
}

/// What a hook returns must have a name, and, of a step, outlive the step.
fn output(hook: &Written, mistakes: &mut Mistakes) {
    let (name, output) = (hook.declared.name(), hook.method.output());
    if types::has_impl(&output) {
        mistakes.add(output, catalogue::hidden_output(name));
    } else if hook.declared.is_step() {
        if let Some(borrow) = types::borrow(&output) {
            mistakes.add(borrow, catalogue::borrowed_output(name));
        }
    } else if let (None, Some(declared)) = (hook.declared.value(), hook.declared.output()) {
        let (declared, written) = (parsed(declared), hook.method.returned());
        if types::surely_differ(&declared, &written) || types::borrows_less(&declared, &written) {
            let (right, wrong) = (types::readable(&declared), types::readable(&written));
            mistakes.add(written, catalogue::returned_type(name, right, wrong));
        }
    }
}
