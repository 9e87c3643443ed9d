//! Automatic optimization: the loop steps the optimizer after each accumulation window.

use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, LightningModuleTable, Run, StepClosure, call_hook, check_parameters};
use crate::optim::OptimizerIndex;
use tch::no_grad;

/// Runs one training step.
pub(super) fn step<M: LightningModule>(
    run: &mut Run<'_, M>,
    batch: &M::Batch,
    batch_idx: usize,
) -> Result<M::TrainingOutput, Error> {
    if run.ctx.skips_backward() {
        let Run { module, callbacks, ctx, .. } = run;
        return no_grad(|| LightningModuleTable::training_step(*module, ctx, callbacks, batch, batch_idx));
    }
    let optimizer = OptimizerIndex(0);
    let steps = run.ctx.steps_after_this_batch();
    let mut closure = StepClosure {
        callbacks: run.callbacks,
        batch,
        batch_idx,
        optimizer,
        first_of_window: run.ctx.progress().is_first_of_window(),
        last_of_window: steps,
        output: None,
    };
    if steps {
        let epoch = run.ctx.progress().current_epoch();
        LightningModuleTable::optimizer_step(run.module, run.ctx, epoch, batch_idx, optimizer, &mut closure)?;
        run.ctx.update_scale()?;
        run.ctx.progress_mut().count_step();
        check_parameters(run.module, run.ctx)?;
    } else {
        closure.run(run.module, run.ctx)?;
    }
    closure.output.map_or_else(|| call_hook::in_place_of(Hook::OptimizerStep, run.ctx, |_| Err(NeverRun.into())), Ok)
}

/// The error of an `optimizer_step` that did not run its closure.
#[derive(Debug, thiserror::Error)]
#[error("it never ran its closure: call `closure.run(self, ctx)?` before the optimizer steps")]
struct NeverRun;
