//! Checkpoints of Lightning: a run that continues one, and ours for Lightning.

use crate::callbacks::lightning::{from_lightning, to_lightning};
use crate::checkpoint::lightning::{names_of, write};
use crate::checkpoint::{Checkpoint, CheckpointError, of_optimizer};
use crate::error::Error;
use crate::messages::warning;
use crate::module::{LightningModule, Run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

impl<M: LightningModule> Run<'_, M> {
    /// Returns the states of the run's callbacks in a checkpoint of Lightning; `None` for one of this crate.
    pub(super) fn callback_states_of_lightning(&self, checkpoint: &Checkpoint) -> Option<BTreeMap<String, Value>> {
        let state = checkpoint.lightning.as_ref()?;
        let (states, left) = from_lightning(&self.callbacks.list, state.callbacks());
        for key in left {
            warning!(
                "the checkpoint of Lightning has the state of the callback `{key}`, which this run does not have: it is not used"
            );
        }
        Some(states)
    }

    /// Resolves what a checkpoint of Lightning has for the optimizers and schedulers, now that the run has made its own.
    pub(super) fn complete_from_lightning(&mut self, checkpoint: &mut Checkpoint) -> Result<(), Error> {
        let Some(state) = checkpoint.lightning.take() else { return Ok(()) };
        let refused = |reason| {
            let path = self.ctx.ckpt_path().unwrap_or(Path::new("")).to_owned();
            Error::from(CheckpointError::OtherRun { path, reason })
        };
        let optimizers = state.optimizers(self.ctx.optimizers()).map_err(refused)?;
        if self.ctx.is_resumed() {
            let own = self.ctx.lr_schedulers().iter().map(|scheduler| (scheduler.state(), scheduler.optimizer().0));
            checkpoint.metadata.lr_schedulers = state.lr_schedulers(own).map_err(refused)?;
        }
        for (index, (optimizer, tensors)) in optimizers.into_iter().enumerate() {
            checkpoint.metadata.optimizers.push(optimizer);
            let prefix = of_optimizer(index);
            checkpoint.tensors.extend(tensors.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
        }
        // Lightning saves neither the seed nor the states of random numbers
        checkpoint.metadata.run.seed = self.ctx.seed();
        Ok(())
    }
}

impl Checkpoint {
    /// Writes the checkpoint as PyTorch Lightning 2 writes it, for `LightningModule.load_from_checkpoint` and `Trainer.fit(ckpt_path=…)` in
    /// Python, atomically: the module's parameters and buffers, optimizers, schedulers, the counters of the loops, hyperparameters, the
    /// gradient scaler, the states of [`EarlyStopping`](crate::callbacks::EarlyStopping), [`ModelCheckpoint`](crate::callbacks::ModelCheckpoint)
    /// and [`Timer`](crate::callbacks::Timer), and what hooks have [inserted](Self::insert).
    ///
    /// PyTorch's optimizers know parameters by their positions. These are taken to be in the order in which the module has made its layers,
    /// with the bias of each layer last, as PyTorch's layers have it. If the Python module has another order, name a checkpoint of it:
    /// [`export_lightning_like`](Self::export_lightning_like).
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// # fn main() -> Result<()> {
    /// Checkpoint::read("last.ckpt".as_ref())?.export_lightning("for_python.ckpt")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError`] if the file cannot be written.
    pub fn export_lightning(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        self.require_frozen()?;
        write(self, to_lightning(&self.metadata.callbacks), None, path.as_ref())
    }

    /// Writes the checkpoint as [`export_lightning`](Self::export_lightning) does, with the parameters in the order of another checkpoint of
    /// the Python module, such as the one from which this run began.
    ///
    /// # Errors
    /// [`CheckpointError`] if the other file is not a checkpoint of Lightning, or if the file cannot be written.
    pub fn export_lightning_like(&self, path: impl AsRef<Path>, like: impl AsRef<Path>) -> Result<(), CheckpointError> {
        self.require_frozen()?;
        let names = names_of(like.as_ref())?;
        write(self, to_lightning(&self.metadata.callbacks), Some(&names), path.as_ref())
    }
}
