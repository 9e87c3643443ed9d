//! How a hook is written: what stands before `fn`, its receiver, its parameters, and what it returns.

use crate::hooks::{Hook, Parameter};
use crate::mistakes::Mistakes;
use crate::model::{self, Written};
use crate::types;
use syn::{FnArg, Pat, PatType, ReturnType, Type};

/// Whether the loops can call the hook as it is written; every mistake is noted.
pub(crate) fn is_sound(hook: &Written, mistakes: &mut Mistakes) -> bool {
    let before = mistakes.count();
    qualifiers(hook, mistakes);
    receiver(hook, mistakes);
    for input in &hook.method.sig.inputs {
        if let FnArg::Typed(parameter) = input {
            self::parameter(&hook.declared, parameter, mistakes);
        }
    }
    output(hook, mistakes);
    mistakes.count() == before
}

/// A hook is called by the loops, which neither await it nor choose type arguments for it.
fn qualifiers(hook: &Written, mistakes: &mut Mistakes) {
    let signature = &hook.method.sig;
    let name = hook.declared.name();
    if let Some(keyword) = &signature.asyncness {
        mistakes
            .add(keyword, format_args!("the hook `{name}` can't be `async`: the loops call it and wait for nothing"));
    }
    if let Some(keyword) = &signature.unsafety {
        mistakes.add(keyword, format_args!("the hook `{name}` can't be `unsafe`: the loops don't know its conditions"));
    }
    if hook.method.is_generic() {
        mistakes.add(
            &signature.generics,
            format_args!("the hook `{name}` can't be generic: type parameters stand on the `impl` block"),
        );
    }
}

fn receiver(hook: &Written, mistakes: &mut Mistakes) {
    let name = hook.declared.name();
    match hook.method.sig.receiver() {
        None => mistakes.add(
            &hook.method.sig.ident,
            format_args!("the hook `{name}` needs `&mut self` or `&self` as its first parameter"),
        ),
        Some(receiver) if !matches!(receiver.ty.as_ref(), Type::Reference(_)) => mistakes.add(
            receiver,
            format_args!("the hook `{name}` takes `&mut self` or `&self`: the trainer keeps what it calls"),
        ),
        Some(_) => {}
    }
}

/// Every parameter is one of the hook's, asked for by its name and with its type.
fn parameter(hook: &Hook, written: &PatType, mistakes: &mut Mistakes) {
    if let Some(condition) = written.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        mistakes.add(condition, "a hook asks for a parameter always or never: `#[cfg]` can stand on the whole hook");
        return;
    }
    let name = hook.name();
    let Pat::Ident(pattern) = written.pat.as_ref() else {
        let list = hook.parameter_list();
        mistakes.add(&written.pat, format_args!("`{name}` is given its parameters by name: it can ask for {list}"));
        return;
    };
    let asked = model::argument_name(pattern);
    match hook.parameters().into_iter().find(|parameter| parameter.name == asked) {
        Some(parameter) => parameter_type(hook, &parameter, &written.ty, mistakes),
        None => mistakes.add(&pattern.ident, unknown_parameter(hook, &asked)),
    }
}

fn unknown_parameter(hook: &Hook, asked: &str) -> String {
    let name = hook.name();
    let is_near = |parameter: &Parameter| {
        strsim::damerau_levenshtein(asked, &parameter.name.to_string()) * 3 <= asked.chars().count()
    };
    match hook.parameters().into_iter().find(is_near) {
        Some(meant) => format!("`{name}` has no parameter `{asked}`: did you mean `{}`?", meant.name),
        None => format!("`{name}` has no parameter `{asked}`: it can ask for {}", hook.parameter_list()),
    }
}

/// Refuses the types that can't be right. Others are held against the declaration by the compiler, which knows aliases.
fn parameter_type(hook: &Hook, declared: &Parameter, written: &Type, mistakes: &mut Mistakes) {
    let (hook, name) = (hook.name(), &declared.name);
    if types::surely_differ(&declared.ty, written) {
        let (right, wrong) = (types::expected(&declared.ty, written), types::readable(written));
        mistakes.add(written, format_args!("`{name}` of `{hook}` is `{right}`, not `{wrong}`"));
    } else if types::has_impl(written) {
        mistakes.add(written, format_args!("the hook `{hook}` can't be generic: write the type of `{name}`"));
    } else if name == "batch" {
        let owned = match written {
            Type::Reference(reference) => &reference.elem,
            owned => owned,
        };
        if let Some(borrow) = types::borrow(owned) {
            mistakes.add(borrow, "a batch owns what it holds: its type can't borrow");
        }
    }
}

/// What a hook returns must have a name, and, of a step, outlive the step.
fn output(hook: &Written, mistakes: &mut Mistakes) {
    let (name, output) = (hook.declared.name(), hook.method.output());
    if types::has_impl(&output) {
        mistakes.add(output, format_args!("the hook `{name}` can't hide what it returns: write the type"));
    } else if hook.is_step() {
        if let Some(borrow) = types::borrow(&output) {
            mistakes.add(borrow, format_args!("`{name}` can't return a borrow: what it returns outlives the batch"));
        }
    } else if let (None, ReturnType::Type(_, declared)) = (hook.declared.value(), &hook.declared.method.sig.output) {
        let written = hook.method.returned();
        if !matches!(&written, Type::Reference(written) if written.mutability.is_some()) {
            let (right, wrong) = (types::readable(declared), types::readable(&written));
            mistakes.add(written, format_args!("`{name}` returns `{right}`, not `{wrong}`"));
        }
    }
}
