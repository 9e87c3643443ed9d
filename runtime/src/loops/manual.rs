//! Manual optimization: `training_step` runs the backward passes and steps the optimizers by itself.

use crate::error::Error;
use crate::module::{LightningModule, LightningModuleTable, Running};

/// One training step. While it runs, the context holds the callbacks: `manual_backward` and `manual_step` call their hooks.
pub(super) fn step<M: LightningModule>(
    running: &mut Running<'_, M>,
    batch: &M::Batch,
    batch_idx: usize,
) -> Result<M::TrainingOutput, Error> {
    running.ctx.lent.lend(std::mem::take(running.callbacks));
    let module = &mut *running.module;
    let outcome = running.ctx.under_autocast(|ctx| LightningModuleTable::training_step(module, ctx, batch, batch_idx));
    if let Some(callbacks) = running.ctx.lent.take_back() {
        *running.callbacks = callbacks;
    }
    outcome
}
