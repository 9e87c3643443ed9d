//! The training data of a `fit`.

use super::batches;
use crate::data::DataLoader;
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, Running};

/// The loader of the training batches, as it was last made.
pub(super) struct Training<M: LightningModule> {
    pub(super) loader: DataLoader<M::Batch>,
}

impl<M: LightningModule> Training<M> {
    /// Asks for the loader, and tells the context how many batches an epoch has.
    pub(super) fn load(running: &mut Running<'_, M>) -> Result<Self, Error> {
        let loader = running.data.train_dataloader(running.module, running.ctx)?;
        let limit = running.ctx.config.limit_train_batches;
        let loader = if running.ctx.config.overfit_batches.is_zero() { loader } else { loader.shuffle(false) };
        if loader.num_batches() == Some(0) {
            return Err(Error::NoBatch { dataloader: Hook::TrainDataloader, epoch: None });
        }
        running.ctx.num_training_batches = batches::count(&loader, Hook::TrainDataloader, limit)?;
        batches::loaded(running.ctx, |progress| &mut progress.train_loaded_at);
        Ok(Self { loader })
    }

    /// Makes the loader anew where `reload_dataloaders_every_n_epochs` says so. Returns whether it did.
    pub(super) fn reload(&mut self, running: &mut Running<'_, M>) -> Result<bool, Error> {
        let is_outdated = batches::are_outdated(running.ctx, running.ctx.progress.train_loaded_at);
        if is_outdated {
            *self = Self::load(running)?;
        }
        Ok(is_outdated)
    }
}
