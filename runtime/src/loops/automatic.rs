//! Automatic optimization: the loop steps the optimizer after each accumulation window.

use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, LightningModuleTable, Running, StepClosure, call_hook, check_parameters};
use crate::optim::OptimizerIndex;
use tch::no_grad;

/// Runs one training step.
pub(super) fn step<M: LightningModule>(
    running: &mut Running<'_, M>,
    batch: &M::Batch,
    batch_idx: usize,
) -> Result<M::TrainingOutput, Error> {
    if running.ctx.skips_backward() {
        let Running { module, callbacks, ctx, .. } = running;
        return no_grad(|| LightningModuleTable::training_step(*module, ctx, callbacks, batch, batch_idx));
    }
    let optimizer = OptimizerIndex(0);
    let steps = running.ctx.steps_after_this_batch();
    let mut closure = StepClosure {
        callbacks: running.callbacks,
        batch,
        batch_idx,
        optimizer,
        first_of_window: running.ctx.progress().is_first_of_window(),
        last_of_window: steps,
        output: None,
    };
    if steps {
        let epoch = running.ctx.progress().current_epoch();
        LightningModuleTable::optimizer_step(running.module, running.ctx, epoch, batch_idx, optimizer, &mut closure)?;
        running.ctx.update_scale()?;
        running.ctx.progress_mut().count_step();
        check_parameters(running.module, running.ctx)?;
    } else {
        closure.run(running.module, running.ctx)?;
    }
    closure.output.map_or_else(|| call_hook::module(Hook::OptimizerStep, running.ctx, |_| Err(NeverRun.into())), Ok)
}

/// The error of an `optimizer_step` that did not run its closure.
#[derive(Debug, thiserror::Error)]
#[error("it never ran its closure: call `closure.run(self, ctx)?` before the optimizer steps")]
struct NeverRun;
