//! What a run puts into a checkpoint and takes from it.

use crate::checkpoint::{Checkpoint, MODULE, Metadata};
use crate::error::Error;
use crate::module::{CheckpointHooksTable, LightningModule, Running, buffers, trainable};
use std::path::Path;

impl<M: LightningModule> Running<'_, M> {
    /// Writes the run's checkpoint to `path`.
    pub(super) fn save_checkpoint(
        &mut self,
        path: &Path,
        hyper_parameters: Option<&serde_json::Value>,
    ) -> Result<(), Error> {
        let mut checkpoint = self.checkpoint(hyper_parameters)?;
        self.on_save_checkpoint(&mut checkpoint)?;
        Ok(checkpoint.write(path)?)
    }

    fn checkpoint(&mut self, hyper_parameters: Option<&serde_json::Value>) -> Result<Checkpoint, Error> {
        let mut checkpoint = Checkpoint::default();
        let metadata = &mut checkpoint.metadata;
        metadata.module = std::any::type_name::<M>().to_owned();
        metadata.epoch = self.ctx.current_epoch;
        metadata.global_step = self.ctx.global_step;
        metadata.hyper_parameters = hyper_parameters.cloned();
        metadata.optimizers = self.ctx.optimizers.iter().map(|optimizer| optimizer.algorithm().clone()).collect();
        metadata.callbacks = self.callbacks.state_dicts(self.ctx)?;
        metadata.data_module = self.data.state_dict(self.ctx)?;
        let variables = self.variables();
        checkpoint.tensors.extend(variables.into_iter().map(|(name, tensor)| (format!("{MODULE}{name}"), tensor)));
        for (index, optimizer) in self.ctx.optimizers.iter().enumerate() {
            let state = optimizer.state()?.into_iter();
            checkpoint.tensors.extend(state.map(|(name, tensor)| (format!("{}{name}", of_optimizer(index)), tensor)));
        }
        Ok(checkpoint)
    }

    fn variables(&mut self) -> Vec<(String, tch::Tensor)> {
        let store = self.module.parameters();
        let mut variables = trainable(store);
        variables.extend(buffers(store));
        variables
    }

    /// Takes the module from a checkpoint, if there is one.
    pub(super) fn restore_from(&mut self, checkpoint: Option<&Checkpoint>) -> Result<(), Error> {
        checkpoint.map_or(Ok(()), |checkpoint| self.restore(checkpoint))
    }

    /// Takes the data module, the module's parameters and buffers, and the callbacks from a checkpoint, in Lightning's order:
    /// here the module's hook comes before the callbacks'.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let Metadata { callbacks, data_module, .. } = &checkpoint.metadata;
        if !data_module.is_null() {
            self.data.load_state_dict(self.ctx, data_module)?;
        }
        CheckpointHooksTable::on_load_checkpoint(self.module, self.ctx, checkpoint)?;
        checkpoint.load_into(&self.variables())?;
        self.callbacks.on_load_checkpoint(self.ctx, self.module, checkpoint)?;
        self.callbacks.load_state_dicts(self.ctx, callbacks)
    }

    /// Takes the optimizers' state and the counters from a checkpoint, so that `fit` goes on behind its last epoch.
    pub(super) fn restore_training(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        for (index, optimizer) in self.ctx.optimizers.iter_mut().enumerate() {
            let prefix = of_optimizer(index);
            let state = checkpoint.under(&prefix).map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone()));
            optimizer.load_state(state)?;
            optimizer.set_steps(checkpoint.metadata.global_step as u64);
        }
        self.ctx.current_epoch = checkpoint.metadata.epoch;
        self.ctx.global_step = checkpoint.metadata.global_step;
        self.ctx.batches_that_stepped = checkpoint.metadata.global_step;
        Ok(())
    }
}

fn of_optimizer(index: usize) -> String {
    format!("optimizer.{index}.")
}
