//! Manual optimization: `training_step` runs the backward passes and steps the optimizers itself.

use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::module::{LightningModule, LightningModuleTable, Run, call_hook};
use anyhow::bail;

/// Runs one training step, whose `manual_backward` and `manual_step` call the callbacks' hooks.
pub(super) fn step<M: LightningModule>(
    run: &mut Run<'_, M>,
    batch: &M::Batch,
    batch_idx: usize,
) -> Result<M::TrainingOutput, Error> {
    let Run { module, callbacks, ctx, .. } = run;
    let before = uncounted_steps(ctx);
    let output =
        ctx.under_autocast(|ctx| LightningModuleTable::training_step(*module, ctx, callbacks, batch, batch_idx))?;
    if uncounted_steps(ctx) > before {
        // it would train to the end, and neither save a checkpoint nor stop at `max_steps`
        call_hook::in_place_of(Hook::TrainingStep, ctx, |_| -> anyhow::Result<()> {
            bail!(
                "an optimizer was stepped by its own `step`, which calls no hooks and is not counted as a step of the run: write \
                 `ctx.manual_step(self, 0)?` in place of `ctx.optimizer(0).step()?`"
            )
        })?;
    }
    Ok(output)
}

/// Warns at the end of the first epoch if no optimizer was stepped, so that nothing is trained.
pub(super) fn warn_without_steps<M: LightningModule>(run: &Run<'_, M>) {
    let ctx = &run.ctx;
    let is_first = ctx.current_epoch() == 0 && ctx.global_step() == 0;
    if is_first && !M::AUTOMATIC_OPTIMIZATION && !ctx.optimizers().is_empty() {
        messages::warning!(
            "no optimizer was stepped in the first epoch, so that nothing is trained: call `ctx.manual_step(self, 0)?` in `training_step`, \
             after `ctx.manual_backward(self, &loss)?`"
        );
    }
}

/// The number of steps that the optimizers have taken more than the run has. It is negative where steps of a checkpoint are not theirs.
fn uncounted_steps(ctx: &RunContext) -> i128 {
    let of_optimizers: u64 = ctx.optimizers().iter().map(|optimizer| optimizer.steps()).sum();
    i128::from(of_optimizers) - ctx.global_step() as i128
}
