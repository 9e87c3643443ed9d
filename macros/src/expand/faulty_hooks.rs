//! Keeps a reported mistake in a hook's signature from causing further errors of rustc in the same hook.

use crate::hooks::Hook;
use crate::model::{Block, Written, argument_name};
use crate::parse::{BlockItem, Method};
use crate::types;
use quote::format_ident;
use syn::{FnArg, Ident, Pat, PatType, ReturnType};

pub(super) fn mend(block: &mut Block) {
    let faulty: Vec<Written> = block.hooks.iter().filter(|hook| hook.faulty).cloned().collect();
    for item in &mut block.item.items {
        if let BlockItem::Method(method) = item
            && let Some(hook) = faulty.iter().find(|hook| hook.declared.name() == method.name)
        {
            remove_unknown_parameters(hook.declared, method);
            let is_no_type = hook.returns_optimizer_object()
                || hook.returns_callbacks_without_module()
                || hook.returns_loader_without_batch();
            if is_no_type || types::has_impl(&hook.method.output()) {
                method.sig.output = ReturnType::Default;
            }
            remove_bounds(method);
            rename_duplicates(method);
            // its body was written for the wrong signature; under other conditions the method may not be a hook
            if method.condition().is_none() {
                method.empty();
            }
        }
    }
}

/// Removes the bounds that the hook must not have.
fn remove_bounds(method: &mut Method) {
    if !method.is_generic() && !method.bounds().is_empty() {
        method.sig.generics.where_clause = None;
    }
}

/// Renames the second of two parameters with one name.
fn rename_duplicates(method: &mut Method) {
    let mut seen: Vec<Ident> = Vec::new();
    for input in &mut method.sig.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let Pat::Ident(pattern) = typed.pat.as_mut() else { continue };
        if seen.contains(&pattern.ident) {
            pattern.ident =
                format_ident!("_{}_again_{}", argument_name(pattern), seen.len(), span = pattern.ident.span());
        }
        seen.push(pattern.ident.clone());
    }
}

/// Removes the parameters that the hook does not have.
fn remove_unknown_parameters(hook: Hook, method: &mut Method) {
    let is_known = |input: &FnArg| match input {
        FnArg::Typed(typed) => is_known(hook, typed),
        FnArg::Receiver(_) => true,
    };
    // under its conditions it may not be a hook
    if method.condition().is_some() || method.sig.inputs.iter().all(is_known) {
        return;
    }
    method.sig.inputs = method.sig.inputs.iter().filter(|input| is_known(input)).cloned().collect();
}

/// Whether it is a parameter of the hook, of a type that rustc accepts.
fn is_known(hook: Hook, typed: &PatType) -> bool {
    match typed.pat.as_ref() {
        Pat::Ident(pattern) => {
            let is_no_type = types::is_dyn(&typed.ty) || types::is_letter(&typed.ty);
            hook.parameter(&argument_name(pattern)).is_some() && !is_no_type
        }
        _ => true,
    }
}
