//! The rest of an epoch that another number of processes has begun.

use super::batches::{self, BatchesLeft};
use super::training::{Training, check_same};
use crate::context::RunContext;
use crate::counted::counted;
use crate::data::{DataError, DistributedSampler, PartOfOrder, Sampler, SavedLoader};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::LightningModule;
use crate::progress::EpochPart;
use std::sync::Arc;

impl<M: LightningModule> Training<M> {
    /// Returns the batches of this process among those that the parts `before` have left of the running epoch, whose samples are divided
    /// among the processes. `None` if they are too few for a batch. Fails if the parts were made by another loader.
    pub(super) fn divided_again(
        &self,
        ctx: &mut RunContext,
        before: Vec<EpochPart>,
    ) -> Result<Option<BatchesLeft<'_, M::Batch>>, Error> {
        let epoch = ctx.progress().current_epoch();
        let failed =
            |source| Error::Data { dataloader: Hook::TrainDataloader, epoch: Some(epoch), batch_idx: None, source };
        let order = self.order.clone().map_err(|what| cannot_divide(ctx, what))?;
        let (number, seed) = (batches::dealt_as(ctx, epoch), ctx.seed());
        let saved_world_size = ctx.resumed().map_or(1, |checkpoint| checkpoint.world_size());
        let mut left: Arc<dyn Sampler> = order;
        let mut limit = Some(ctx.config().limit_train_batches);
        for (index, part) in before.iter().enumerate() {
            let share = |rank| DistributedSampler::new(Arc::clone(&left), rank, part.world_size);
            let shuffles = index == 0 && part.world_size > 1 && batches::shuffles(ctx);
            let first = share(0).map_err(failed)?.shuffle(shuffles);
            let batches = self.loader.epoch_by(first.clone(), number, seed).map_err(failed)?;
            if index + 1 == before.len() && part.world_size == saved_world_size && ctx.world_size() != saved_world_size
            {
                check_same(ctx, &SavedLoader::of(&self.loader, &batches))?;
            }
            // the limit is one of all batches of the epoch
            let count = limit
                .take()
                .map(|limit| batches::limited(limit, Some(batches.count_all()), Hook::TrainDataloader))
                .transpose()?;
            let count = count.flatten().unwrap_or(batches.count_all());
            let samples = |count: usize| -> usize {
                let own: usize = (0..count).map(|batch_idx| batches.indices(batch_idx).len()).sum();
                own.saturating_mul(part.world_size).min(left.len())
            };
            let positions = samples(part.batches.min(count))..samples(count);
            left = PartOfOrder::new(first, positions, self.loader.seed_or(seed)).shared();
        }
        let rank = ctx.rank();
        let own = DistributedSampler::new(left, rank.global, rank.world_size).map_err(failed)?;
        let first = before.iter().map(|part| part.batches).sum();
        let batches = match self.loader.epoch_by(own, number, seed) {
            Ok(batches) => batches,
            // the samples that the loader drops at the end of each epoch
            Err(DataError::EmptySampler | DataError::NoFullBatch { .. }) => {
                ctx.progress_mut().skip_rest_of_epoch();
                return Ok(None);
            }
            Err(source) => return Err(failed(source)),
        };
        let now = SavedLoader::of(&self.loader, &batches);
        if ctx.world_size() == saved_world_size {
            check_same(ctx, &now)?;
        }
        ctx.set_train_loader(now, before);
        ctx.set_num_training_batches(Some(first + batches.count_all()));
        Ok(Some(BatchesLeft { batches, first }))
    }
}

fn cannot_divide(ctx: &RunContext, what: &str) -> Error {
    let before = ctx.resumed().map_or(1, |checkpoint| checkpoint.world_size());
    let before = counted(before, "process");
    let (epoch, batches) = (ctx.progress().current_epoch(), counted(ctx.progress().batches_ready(), "batch"));
    Error::configuration(format!(
        "the checkpoint was written by {before} within epoch {epoch}, after {batches}, and the rest of its data, that of {what}, cannot be divided \
         among {}: resume with {before}, or from a checkpoint of the end of an epoch",
        ctx.world_size()
    ))
}
