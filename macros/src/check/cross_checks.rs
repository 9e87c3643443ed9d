//! Checks across hooks: those that require or exclude each other.

use crate::catalogue;
use crate::diagnostics::Diagnostics;
use crate::hooks::{self, Role};
use crate::model::{Block, Written};

pub(super) fn parameters(block: &Block, diagnostics: &mut Diagnostics) {
    if block.role == Role::Module && !block.others.are_annotated && block.written("parameters").next().is_none() {
        diagnostics.add(&block.item.head.self_ty, catalogue::no_parameters());
    }
}

/// Rejects a module's loader without a step for its batches. A training loader needs no check: `fit` does not compile without its step.
pub(super) fn loaders(block: &Block, diagnostics: &mut Diagnostics) {
    if block.role != Role::Module {
        return;
    }
    for (hook, step) in hooks::steps().filter(|(_, step)| !step.has_loss) {
        if block.written(hook.name()).next().is_none() {
            for written in block.written(step.loader) {
                diagnostics.add(&written.method.sig.ident, catalogue::loader_without_step(step.loader, hook.name()));
            }
        }
    }
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
