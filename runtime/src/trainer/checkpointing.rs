//! What a run puts into a checkpoint and takes from it.

use crate::checkpoint::{Checkpoint, MODULE, Metadata, SavedOptimizer};
use crate::error::Error;
use crate::module::{CheckpointHooksTable, LightningModule, Running, buffers, trainable};
use crate::optim::Optimizer;
use crate::precision::GradScaler;
use std::path::Path;

impl<M: LightningModule> Running<'_, M> {
    /// Writes the checkpoints that hooks have asked for since the last call.
    #[inline]
    pub(crate) fn save_what_was_asked_for(&mut self) -> Result<(), Error> {
        if self.ctx.save_requests.is_empty() { Ok(()) } else { self.save_all() }
    }

    #[cold]
    fn save_all(&mut self) -> Result<(), Error> {
        for request in std::mem::take(&mut self.ctx.save_requests) {
            match &request.link_to {
                Some(target) => link(&request.path, target)?,
                None => self.save_checkpoint(&request.path, request.weights_only)?,
            }
            for old in &request.then_remove {
                remove(old)?;
            }
        }
        Ok(())
    }

    /// Writes the run's checkpoint to `path`.
    pub(super) fn save_checkpoint(&mut self, path: &Path, weights_only: bool) -> Result<(), Error> {
        let mut checkpoint = self.checkpoint(weights_only)?;
        if weights_only {
            CheckpointHooksTable::on_save_checkpoint(self.module, self.ctx, &mut checkpoint)?;
        } else {
            self.on_save_checkpoint(&mut checkpoint)?;
        }
        Ok(checkpoint.write(path)?)
    }

    fn checkpoint(&mut self, weights_only: bool) -> Result<Checkpoint, Error> {
        let mut checkpoint = Checkpoint::default();
        let metadata = &mut checkpoint.metadata;
        metadata.module = std::any::type_name::<M>().to_owned();
        metadata.epoch = self.ctx.progress.current_epoch;
        metadata.global_step = self.ctx.progress.global_step;
        metadata.progress = self.ctx.progress.clone();
        metadata.hyper_parameters = self.ctx.hyper_parameters.clone();
        let variables = self.variables();
        checkpoint.tensors.extend(variables.into_iter().map(|(name, tensor)| (format!("{MODULE}{name}"), tensor)));
        if !weights_only {
            self.add_training_state(&mut checkpoint)?;
        }
        Ok(checkpoint)
    }

    fn add_training_state(&mut self, checkpoint: &mut Checkpoint) -> Result<(), Error> {
        let metadata = &mut checkpoint.metadata;
        metadata.optimizers = self.ctx.optimizers.iter().map(saved).collect();
        metadata.lr_schedulers = self.ctx.lr_schedulers.iter().map(|running| running.scheduler.state()).collect();
        metadata.grad_scaler = self.ctx.grad_scaler.as_ref().map(GradScaler::state).transpose()?;
        metadata.callbacks = self.callbacks.state_dicts(self.ctx)?;
        metadata.data_module = self.data.state_dict(self.ctx)?;
        for (index, optimizer) in self.ctx.optimizers.iter().enumerate() {
            let state = optimizer.state()?.into_iter();
            checkpoint.tensors.extend(state.map(|(name, tensor)| (format!("{}{name}", of_optimizer(index)), tensor)));
        }
        Ok(())
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
        }
        for (optimizer, saved) in self.ctx.optimizers.iter_mut().zip(&checkpoint.metadata.optimizers) {
            optimizer.set_steps(saved.steps);
            for (group, algorithm) in optimizer.groups_mut().iter_mut().zip(&saved.groups) {
                group.set_algorithm(algorithm.clone())?;
            }
        }
        for (running, state) in self.ctx.lr_schedulers.iter_mut().zip(&checkpoint.metadata.lr_schedulers) {
            running.scheduler.load_state(state)?;
        }
        if let (Some(scaler), Some(state)) = (&mut self.ctx.grad_scaler, checkpoint.metadata.grad_scaler) {
            *scaler = GradScaler::new(state, self.ctx.device)?;
        }
        self.ctx.progress = checkpoint.metadata.progress.clone();
        if self.ctx.progress.epoch_is_done {
            self.ctx.progress.end_epoch();
        }
        let epoch = self.ctx.progress.current_epoch;
        if let Some(epochs) = self.ctx.config.epochs().filter(|epochs| epoch > *epochs) {
            return Err(Error::Configuration(format!(
                "the checkpoint was written after {epoch} epochs, and `max_epochs` is {epochs}: set it to {epoch} or more"
            )));
        }
        Ok(())
    }
}

fn saved(optimizer: &Optimizer) -> SavedOptimizer {
    let groups = optimizer.groups().iter().map(|group| group.algorithm().clone()).collect();
    SavedOptimizer { groups, steps: optimizer.steps() }
}

fn of_optimizer(index: usize) -> String {
    format!("optimizer.{index}.")
}

/// Makes `path` a symbolic link to `target`, relative where both are in one folder.
fn link(path: &Path, target: &Path) -> Result<(), Error> {
    remove(path)?;
    let is_beside = path.parent() == target.parent();
    let shown = target.file_name().map(Path::new).filter(|_| is_beside).unwrap_or(target);
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(shown, path);
    #[cfg(not(unix))]
    let linked = std::fs::copy(target, path).map(|_| drop(shown));
    linked.map_err(|source| Error::Io { what: "can't make the link", path: path.to_owned(), source })
}

/// Removes an older checkpoint; one that is gone already is no mistake.
fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Io { what: "can't remove the older checkpoint", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
