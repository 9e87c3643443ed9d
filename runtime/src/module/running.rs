//! A run in progress: the module with everything that acts on it.

use super::{
    Callbacks, CheckpointHooksTable, DataSource, LightningModule, LightningModuleTable, ModelHooksTable, edge,
};
use crate::checkpoint::Checkpoint;
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::module::Flow;
use crate::optim::OptimizerIndex;
use tch::Tensor;

/// What the loops pass along. Its hooks call the callbacks first and then the module, as Lightning does.
pub(crate) struct Running<'a, M: LightningModule> {
    pub(crate) module: &'a mut M,
    pub(crate) callbacks: &'a mut Callbacks<M>,
    pub(crate) ctx: &'a mut RunContext,
    pub(crate) data: &'a mut dyn DataSource<M>,
}

impl<M: LightningModule> Running<'_, M> {
    /// A batch's way to the device.
    pub(crate) fn transfer(&mut self, batch: M::Batch, dataloader_idx: usize) -> Result<M::Batch, Error> {
        let batch = self.ctx.config.precision.convert_input(batch)?;
        self.data.transfer(self.module, self.ctx, batch, dataloader_idx)
    }
}

tch_lightning_macros::declare_hooks!(Running);
