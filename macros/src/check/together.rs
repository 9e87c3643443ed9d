//! Hooks that need each other, or exclude each other.

use crate::catalogue;
use crate::hooks::Role;
use crate::mistakes::Mistakes;
use crate::model::{Block, Written};

pub(super) fn parameters(block: &Block, mistakes: &mut Mistakes) {
    if block.role == Role::Module && block.written("parameters").next().is_none() {
        mistakes.add(&block.item.head.self_ty, catalogue::no_parameters());
    }
}

/// A module's loader whose batches no step takes. A training loader without its step is left to `fit`, which needs both.
pub(super) fn loaders(block: &Block, mistakes: &mut Mistakes) {
    if block.role != Role::Module {
        return;
    }
    for (loader, step) in [
        ("val_dataloader", "validation_step"),
        ("test_dataloader", "test_step"),
        ("predict_dataloader", "predict_step"),
    ] {
        if block.written(step).next().is_none() {
            for written in block.written(loader) {
                mistakes.add(&written.method.sig.ident, catalogue::loader_without_step(loader, step));
            }
        }
    }
}

/// `configure_sharded_model` is the older name of `configure_model`, and Lightning refuses both together.
pub(super) fn model_configuration(block: &Block, mistakes: &mut Mistakes) {
    if block.written("configure_model").any(Written::is_unconditional) {
        for older in block.written("configure_sharded_model").filter(|older| older.is_unconditional()) {
            mistakes.add(&older.method.sig.ident, catalogue::configured_twice());
        }
    }
}

/// The hooks that only automatic optimization calls, with what a block that optimizes by itself does instead.
const AUTOMATIC: [(&str, &str); 5] = [
    ("optimizer_step", "call `ctx.manual_step(self, optimizer)` in `training_step`"),
    ("optimizer_zero_grad", "call `ctx.optimizer(optimizer).zero_grad()` in `training_step`"),
    ("on_before_zero_grad", "do it in `training_step`"),
    ("configure_gradient_clipping", "call `ctx.clip_gradients` in `training_step`"),
    ("lr_scheduler_step", "call `ctx.step_lr_scheduler(scheduler, metric)` in `training_step`"),
];

/// Under manual optimization these hooks would never be called.
pub(super) fn manual_optimization(block: &Block, mistakes: &mut Mistakes) {
    if block.arguments.automatic_optimization {
        return;
    }
    for (hook, instead) in AUTOMATIC {
        for written in block.written(hook) {
            mistakes.add(&written.method.sig.ident, catalogue::hook_of_automatic_optimization(hook, instead));
        }
    }
}
