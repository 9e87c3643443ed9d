//! Checks across hooks: those that require or exclude each other.

use super::meant_hooks::OPTIMIZERS;
use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::{self, Role, Step};
use crate::model::{Block, Written};
use crate::source_file::{SourceFile, defines_type};
use crate::types::{self, last_name};
use proc_macro2::Span;
use quote::ToTokens;
use syn::{FnArg, ReturnType, Type, parse_quote};

pub(super) fn parameters(block: &Block, diagnostics: &mut Diagnostics) {
    if block.role == Role::Module && !block.others.are_annotated && block.written("parameters").next().is_none() {
        diagnostics.add(&block.item.head.self_ty, catalogue::no_parameters());
    }
}

/// Rejects a module's loader without a step for its batches. A training loader needs no check: `fit` does not compile without its step.
pub(super) fn loaders(block: &mut Block, diagnostics: &mut Diagnostics) {
    if block.role != Role::Module {
        return;
    }
    for (hook, step) in hooks::steps().filter(|(_, step)| !step.has_loss) {
        if block.written(hook.name()).next().is_some() {
            continue;
        }
        let is_loader = |written: &&mut Written| written.declared.name() == step.loader && !written.faulty;
        for written in block.hooks.iter_mut().filter(is_loader) {
            diagnostics.add(&written.method.sig.ident, catalogue::loader_without_step(step.loader, hook.name()));
            // a reported mistake brings no other
            written.faulty = written.returns_nothing();
        }
    }
}

/// Rejects a step without its loader in a module whose program in the file has no data module. Returns whether there is none.
pub(super) fn program_has_loaders(block: &Block, diagnostics: &mut Diagnostics) -> bool {
    let name = last_name(&block.item.head.self_ty);
    let is_loaded = |step: &Step| block.may_have(step.loader);
    let written: Vec<(&Written, Step)> =
        hooks::steps().filter_map(|(hook, step)| Some((block.written(hook.name()).next()?, step))).collect();
    let mut missing: Vec<_> = written.iter().filter(|(_, step)| !is_loaded(step)).collect();
    if block.role != Role::Module || missing.is_empty() || block.has("main") {
        return true;
    }
    let calls_main = |file: &SourceFile| file.calls_main_of(&name);
    let Some(file) = SourceFile::of(Span::call_site()).filter(calls_main) else { return true };
    if missing.len() == written.len() {
        // the data module is what is missing
        missing.truncate(1);
    }
    let data = file.data_module().unwrap_or_else(|| "Data".to_owned());
    for (written, step) in missing {
        let diagnostic = catalogue::program_without_loader(&name, written.declared.name(), step.loader, &data);
        let conditions = &written.method.conditions;
        diagnostics.of_method(conditions, |diagnostics| diagnostics.add(&written.method.sig.ident, diagnostic));
    }
    false
}

/// Rejects `DataLoader<Images>`, where `Images` is a dataset of the file.
pub(super) fn loaders_of_datasets(block: &mut Block, diagnostics: &mut Diagnostics) {
    for written in block.hooks.iter_mut().filter(|hook| !hook.faulty) {
        let Some(loaded) = written.loaded_batch() else { continue };
        let Some(file) = SourceFile::of(Span::call_site()) else { continue };
        let name = types::readable(&loaded);
        let is_dataset =
            name.contains("dyn Dataset") || file.has_text(|text| text.contains(&format!("Dataset for {name} ")));
        if name == "Tensor" || !is_dataset {
            continue;
        }
        let batch = file.batch_of_steps().unwrap_or_else(|| parse_quote!(Tensor));
        let diagnostic = catalogue::loader_of_dataset(name, types::readable(&batch));
        diagnostics.of_method(&written.method.conditions, |diagnostics| diagnostics.add(&loaded, diagnostic));
        // a reported mistake brings no other where the block is used
        written.method.sig.output = parse_quote!(-> DataLoader<#batch>);
        written.faulty = true;
    }
}

/// Rejects `-> DataLoader`, without the type of the batches.
pub(super) fn loaders_without_batches(block: &mut Block, diagnostics: &mut Diagnostics) {
    let batch = block.decided_batches().first().map(|decided| types::readable(&decided.batch));
    let batch = batch.unwrap_or_else(|| "(Tensor, Tensor)".to_owned());
    for written in block.hooks.iter_mut().filter(|hook| !hook.faulty && hook.returns_loader_without_batch()) {
        let diagnostic = catalogue::loader_without_batch(format!("DataLoader<{batch}>"));
        let ty = written.method.output();
        diagnostics.of_method(&written.method.conditions, |diagnostics| diagnostics.add(ty, diagnostic));
        written.faulty = true;
    }
}

/// Rejects `module: &mut M` of a callback's hook, where `M` is neither declared nor a type of the crate, and takes the parameter away.
pub(super) fn undeclared_modules(block: &mut Block, diagnostics: &mut Diagnostics) {
    let declared: Vec<String> =
        block.item.head.generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    // the name of what `impl LightningModule` stands for
    let every = block.every_module.as_ref().map(|every| every.ident.to_string());
    let declared: Vec<String> = declared.into_iter().chain(every).collect();
    for written in block.hooks.iter_mut().filter(|hook| !hook.faulty && !hook.is_generic()) {
        let arguments = written.method.arguments();
        let Some(module) = arguments.iter().find(|argument| argument.name == "module") else { continue };
        let name = types::readable(types::without_reference(module.ty));
        if !types::is_letter(module.ty) || declared.contains(&name) || may_be_type(&name) {
            continue;
        }
        let diagnostic = catalogue::undeclared_module(written.declared.name(), &name);
        diagnostics.of_method(&written.method.conditions, |diagnostics| diagnostics.add(module.ty, diagnostic));
        let is_module = |input: &FnArg| matches!(input, FnArg::Typed(typed) if types::is_letter(&typed.ty));
        let inputs = &written.method.sig.inputs;
        written.method.sig.inputs = inputs.iter().filter(|input| !is_module(input)).cloned().collect();
        written.faulty = true;
    }
}

/// Rejects `module: &mut Net` where another hook of the block takes every module.
pub(super) fn one_module(block: &mut Block, diagnostics: &mut Diagnostics) {
    let Some(every) = block.every_module.as_ref().map(|every| every.ident.to_string()) else { return };
    for written in block.hooks.iter_mut().filter(|hook| !hook.faulty) {
        let arguments = written.method.arguments();
        let Some(module) = arguments.iter().find(|argument| argument.name == "module") else { continue };
        let name = types::readable(types::without_reference(module.ty));
        if name != every {
            let diagnostic = catalogue::module_of_one_hook(written.declared.name(), name);
            diagnostics.of_method(&written.method.conditions, |diagnostics| diagnostics.add(module.ty, diagnostic));
            written.faulty = true;
        }
    }
}

/// Whether the crate may have a type of this name.
fn may_be_type(name: &str) -> bool {
    let defines = |text: &str| defines_type(text, name);
    SourceFile::of(Span::call_site()).is_none_or(|file| file.has_another_type(name) || file.any_text(defines))
}

/// Lightning refuses a hook together with one of its older name.
pub(super) fn older_names(block: &Block, diagnostics: &mut Diagnostics) {
    for older in block.hooks.iter().filter(|hook| hook.is_unconditional()) {
        let Some(newer) = older.declared.newer_name() else { continue };
        if block.written(newer).any(Written::is_unconditional) {
            diagnostics.add(&older.method.sig.ident, catalogue::written_under_both_names(older.declared.name(), newer));
        }
    }
}

/// Hooks that only automatic optimization calls must not be in a module with manual optimization.
pub(super) fn manual_optimization(block: &Block, diagnostics: &mut Diagnostics) {
    if block.arguments.automatic_optimization {
        return;
    }
    for written in &block.hooks {
        let hook = written.declared;
        if let Some(instead) = hook.instead_of_automatic() {
            diagnostics.add(&written.method.sig.ident, catalogue::hook_of_automatic_optimization(hook.name(), instead));
        }
    }
}

/// Rejects a tuple of optimizers under automatic optimization, which steps one. How many a `Vec` has is known when a run begins.
pub(super) fn several_optimizers(block: &Block, diagnostics: &mut Diagnostics) {
    if !block.arguments.automatic_optimization {
        return;
    }
    for written in block.written("configure_optimizers") {
        let Type::Tuple(several) = written.method.output() else { continue };
        if several.elems.len() > 1 && several.elems.iter().all(is_optimizer) {
            let diagnostic = catalogue::several_optimizers(written.declared.name(), several.elems.len());
            diagnostics.of_method(&written.method.conditions, |diagnostics| diagnostics.add(several, diagnostic));
        }
    }
}

/// Whether it is an optimizer, or one with its scheduler.
fn is_optimizer(ty: &Type) -> bool {
    match ty {
        Type::Tuple(pair) => pair.elems.len() == 2 && pair.elems.first().is_some_and(is_optimizer),
        ty => OPTIMIZERS.contains(&last_name(ty).as_str()),
    }
}

/// Rejects a module's hook around a step that the module does not have, such as `on_test_end` without `test_step`. Hooks of training need no
/// check, as `fit` does not compile without its step, unless they take what it returns.
pub(super) fn hooks_without_step(block: &mut Block, diagnostics: &mut Diagnostics) {
    if block.role != Role::Module {
        return;
    }
    for (hook, step) in hooks::steps() {
        let name = hook.name();
        if block.may_have(name) {
            continue;
        }
        let prefix = format!("on_{}_", name.trim_end_matches("_step"));
        let is_around = |hook: &Written| !step.has_loss && hook.declared.name().starts_with(&prefix);
        for hook in block.hooks.iter_mut().filter(|hook| is_around(hook) || hook.takes_output_of(step)) {
            if !hook.faulty {
                let diagnostic = catalogue::hook_without_step(hook.declared.name(), name);
                let conditions = &hook.method.conditions;
                diagnostics.of_method(conditions, |diagnostics| diagnostics.add(&hook.method.sig.ident, diagnostic));
                hook.faulty = true;
            }
        }
    }
}

/// Rejects a state that is saved and never restored, or the other way round.
pub(super) fn states(block: &Block, diagnostics: &mut Diagnostics) {
    const SAVES: &str = "state_dict";
    const RESTORES: &str = "load_state_dict";
    for (hook, counterpart, diagnostic) in [
        (SAVES, RESTORES, catalogue::state_that_is_not_restored(SAVES, RESTORES)),
        (RESTORES, SAVES, catalogue::state_that_is_not_saved(RESTORES, SAVES)),
    ] {
        if block.may_have(counterpart) {
            continue;
        }
        // another type is what is reported first
        let is_right = |written: &&Written| hook == RESTORES || last_name(&written.method.output()) == "Value";
        if let Some(written) = block.written(hook).filter(|written| !written.faulty).find(is_right) {
            let conditions = &written.method.conditions;
            diagnostics.of_method(conditions, |diagnostics| diagnostics.add(&written.method.sig.ident, diagnostic));
        }
    }
}

/// Rejects `lr_scheduler_step` in a module whose optimizer is returned without a scheduler.
pub(super) fn hooks_without_scheduler(block: &Block, diagnostics: &mut Diagnostics) {
    let returned = |written: &Written| match &written.method.sig.output {
        ReturnType::Default => String::new(),
        ReturnType::Type(..) => written.method.output().to_token_stream().to_string(),
    };
    // a `ScheduledOptimizer` has one, and parameter groups do not
    let is_alone = |optimizer: &String| OPTIMIZERS.contains(&optimizer.as_str()) && optimizer != "ScheduledOptimizer";
    let mut optimizers: Vec<String> = block.written("configure_optimizers").map(returned).collect();
    if optimizers.is_empty() || !optimizers.iter().all(is_alone) {
        return;
    }
    let optimizer = optimizers.swap_remove(0);
    for written in block.written("lr_scheduler_step").filter(|written| !written.faulty) {
        let diagnostic = catalogue::hook_without_scheduler(written.declared.name(), &optimizer);
        let conditions = &written.method.conditions;
        diagnostics.of_method(conditions, |diagnostics| diagnostics.add(&written.method.sig.ident, diagnostic));
    }
}
