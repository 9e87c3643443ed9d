//! A run: the module with its callbacks, context and data.

use super::{Callbacks, CheckpointHooksTable, DataSource, LightningModule, LightningModuleTable, ModelHooksTable};
use crate::checkpoint::Checkpoint;
use crate::context::RunContext;
use crate::error::Error;
use crate::module::Flow;
use crate::optim::OptimizerIndex;
use crate::profiler::Region;
use tch::{Device, Tensor};

/// The parts of a run that the loops use. Its hook methods call the callbacks first and then the module, as Lightning does.
pub(crate) struct Run<'a, M: LightningModule> {
    pub(crate) module: &'a mut M,
    pub(crate) callbacks: &'a mut Callbacks<M>,
    pub(crate) ctx: &'a mut RunContext,
    pub(crate) data: &'a mut dyn DataSource<M>,
}

impl<M: LightningModule> Run<'_, M> {
    /// Returns the GPU to which batches can be copied ahead of time, if no hook transfers or changes batches.
    pub(crate) fn device_ahead(&self) -> Option<Device> {
        let device = self.ctx.device();
        (device.is_cuda() && !self.data.has_transfer_hooks()).then_some(device)
    }

    /// Moves a batch to the device.
    pub(crate) fn transfer(&mut self, batch: M::Batch, dataloader_idx: usize) -> Result<M::Batch, Error> {
        self.measured(Region::Transfer, |run| {
            let batch = run.ctx.config().precision.convert_input(batch)?;
            run.data.transfer(run.module, run.ctx, batch, dataloader_idx)
        })
    }

    /// Measures a part of the loops, if the run has a profiler.
    #[inline]
    pub(crate) fn measured<T>(&mut self, region: Region, work: impl FnOnce(&mut Self) -> T) -> T {
        let open = self.ctx.enter_region(region);
        let value = work(self);
        self.ctx.leave_region(open);
        value
    }
}

tch_lightning_macros::declare_hooks!(Run);
