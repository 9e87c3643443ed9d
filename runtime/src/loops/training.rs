//! The training data of a `fit`.

use super::batches::{self, BatchesLeft};
use crate::context::RunContext;
use crate::counted::counted;
use crate::data::{DataLoader, Sampler, SavedLoader};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, Run};
use crate::strategy::Operation;
use std::sync::Arc;

/// The current loader of the training batches.
pub(crate) struct Training<M: LightningModule> {
    pub(super) loader: DataLoader<M::Batch>,
    /// The order of the samples of all processes, or what there is in place of one.
    pub(super) order: Result<Arc<dyn Sampler>, &'static str>,
    /// The number of batches of an epoch.
    pub(super) num_batches: Option<usize>,
    /// Whether the processes agree before each batch on whether it is the last: one of them has a loader of unknown length.
    pub(super) agrees_on_last: bool,
}

impl<M: LightningModule> Training<M> {
    /// Makes the loader for the epochs from the running one on.
    pub(super) fn load(run: &mut Run<'_, M>) -> Result<Self, Error> {
        let training = Self::load_early(run)?;
        training.begin(run.ctx);
        Ok(training)
    }

    /// Makes the loader, and gives the context the number of batches of an epoch, before the first epoch of the run is determined.
    pub(crate) fn load_early(run: &mut Run<'_, M>) -> Result<Self, Error> {
        let mut loader = run.data.train_dataloader(run.module, run.ctx)?;
        let limit = run.ctx.config().limit_train_batches;
        batches::overfit(run.ctx, Hook::TrainDataloader, &mut loader);
        let order = batches::order(run.ctx, &loader);
        run.ctx.set_divisible_order(order.is_ok());
        let loader = batches::of_processes(run.ctx, Hook::TrainDataloader, vec![loader])?.remove(0);
        let count = batches::count(&loader, Hook::TrainDataloader, limit)?;
        let num_batches = batches::least_of_all_ranks(run.ctx, count)?;
        run.ctx.set_num_training_batches(num_batches);
        if loader.num_batches() == Some(0) {
            return Err(Error::NoBatch { dataloader: Hook::TrainDataloader, epoch: None });
        }
        let agrees_on_last =
            run.ctx.world_size() > 1 && run.ctx.any_rank(Operation::Batches, loader.num_batches().is_none())?;
        Ok(Self { loader, order, num_batches, agrees_on_last })
    }

    /// Counts the loader as made for the running epoch.
    pub(super) fn begin(&self, ctx: &mut RunContext) {
        if batches::count_as_made(ctx, ctx.progress().train_loaded_at()) {
            ctx.progress_mut().set_train_loaded();
        }
    }

    /// Returns the batches of the resumed epoch, from the first one on; `None` between epochs. The loader is called once, as a
    /// sampler may return another order the next time. Fails if the first batches of the epoch were made by another loader.
    pub(super) fn batches_left(&self, ctx: &mut RunContext) -> Result<Option<BatchesLeft<'_, M::Batch>>, Error> {
        let progress = ctx.progress();
        let (epoch, done, is_last_batch) =
            (progress.current_epoch(), progress.batches_ready(), progress.is_last_batch());
        if done == 0 || is_last_batch {
            return Ok(None);
        }
        let dataloader = Hook::TrainDataloader;
        let failed = |source| Error::Data { dataloader, epoch: Some(epoch), batch_idx: None, source };
        let before = ctx.parts_of_others();
        if !before.is_empty() {
            return self.divided_again(ctx, before);
        }
        let batches = batches::whole_epoch::<M>(ctx, &self.loader).map_err(failed)?;
        if let Some(now) = ctx.train_loader() {
            check_same(ctx, now)?;
        }
        match ctx.num_training_batches().filter(|count| *count <= done) {
            Some(count) => {
                Err(not_continued(epoch, done, &format!("and an epoch now has {}", counted(count, "batch"))))
            }
            None => Ok(Some(BatchesLeft { batches, first: 0 })),
        }
    }

    /// Makes the loader again if `reload_dataloaders_every_n_epochs` requires it. Returns whether it did.
    pub(super) fn reload(&mut self, run: &mut Run<'_, M>) -> Result<bool, Error> {
        let is_outdated = batches::are_outdated(run.ctx, run.ctx.progress().train_loaded_at());
        if is_outdated {
            *self = Self::load(run)?;
        }
        Ok(is_outdated)
    }
}

/// Fails if the loader of the checkpoint had other batches in its epoch.
pub(super) fn check_same(ctx: &RunContext, now: &SavedLoader) -> Result<(), Error> {
    let saved = ctx.resumed().and_then(|checkpoint| checkpoint.metadata.run.train_loader.as_ref());
    let Some(saved) = saved.filter(|saved| saved.fingerprint != now.fingerprint) else { return Ok(()) };
    let deals = if saved.deals == now.deals { "these in another order" } else { &now.deals };
    let dealt = format!("when the loader of `{}` dealt {}; it now deals {deals}", Hook::TrainDataloader, saved.deals);
    Err(not_continued(ctx.progress().current_epoch(), ctx.progress().batches_ready(), &dealt))
}

/// Returns the error that the remaining batches of an epoch cannot be reproduced.
pub(super) fn not_continued(epoch: usize, done: usize, what: &str) -> Error {
    Error::configuration(format!(
        "the checkpoint was written within epoch {epoch}, after {}, {what}: use the same data, or a checkpoint from the end of an \
         epoch",
        counted(done, "batch")
    ))
}
