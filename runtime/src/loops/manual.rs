//! Manual optimization: `training_step` runs the backward passes and steps the optimizers itself.

use crate::error::Error;
use crate::module::{LightningModule, LightningModuleTable, Run};

/// Runs one training step, whose `manual_backward` and `manual_step` call the callbacks' hooks.
pub(super) fn step<M: LightningModule>(
    run: &mut Run<'_, M>,
    batch: &M::Batch,
    batch_idx: usize,
) -> Result<M::TrainingOutput, Error> {
    let Run { module, callbacks, ctx, .. } = run;
    ctx.under_autocast(|ctx| LightningModuleTable::training_step(*module, ctx, callbacks, batch, batch_idx))
}
