//! The batches that a loop goes through.

use crate::config::{BatchLimit, LimitError};
use crate::context::{Progress, RunContext};
use crate::data::{Batch, Batches, DataError, DataLoader, DeviceBatches, Seed};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, Running};
use crate::terminal;
use std::ops::Range;
use tch::Device;

/// How many batches of a loader a loop takes; `None` where only the loader's end tells.
pub(super) fn count<B: Batch>(
    loader: &DataLoader<B>,
    dataloader: Hook,
    limit: BatchLimit,
) -> Result<Option<usize>, Error> {
    let wrong = |source: LimitError| Error::Configuration(format!("of the loader of `{dataloader}`, {source}"));
    limit.of(loader.num_batches()).map_err(wrong)
}

/// Prints a warning where none of the loaders of an evaluation has a batch.
pub(super) fn warn_if_empty(dataloader: Hook, counts: &[Option<usize>], limit: BatchLimit) {
    if !limit.is_zero() && counts.iter().all(|count| *count == Some(0)) {
        let empty = Error::NoBatch { dataloader, epoch: None };
        terminal::say(&format!("warning: {empty}; its loop is skipped"));
    }
}

/// Whether loaders that were made for an epoch are to be made anew: `reload_dataloaders_every_n_epochs`.
pub(super) fn are_outdated(ctx: &RunContext, loaded_at_epoch: Option<usize>) -> bool {
    let every = ctx.config.reload_dataloaders_every_n_epochs;
    every > 0 && loaded_at_epoch.is_none_or(|loaded| ctx.progress.current_epoch >= loaded + every)
}

/// Records that loaders were made. A run that is resumed between two such epochs makes them once more, which does not count: they
/// are next made where the run that wrote the checkpoint would have made them.
pub(super) fn loaded(ctx: &mut RunContext, loaded_at: impl Fn(&mut Progress) -> &mut Option<usize>) {
    let before = *loaded_at(&mut ctx.progress);
    if before.is_none() || are_outdated(ctx, before) {
        *loaded_at(&mut ctx.progress) = Some(ctx.progress.current_epoch);
    }
}

/// One batch of an epoch.
pub(super) struct EpochBatch<B> {
    pub(super) batch: B,
    pub(super) batch_idx: usize,
    pub(super) is_last: bool,
}

/// The batches of the running training epoch, without those that are done, up to `count` of them all.
pub(super) fn of_epoch<'l, M: LightningModule>(
    running: &Running<'_, M>,
    loader: &'l DataLoader<M::Batch>,
    count: Option<usize>,
) -> Result<impl Iterator<Item = Result<EpochBatch<M::Batch>, Error>> + use<'l, M>, Error> {
    let progress = &running.ctx.progress;
    let (dataloader, epoch) = (Hook::TrainDataloader, Some(progress.current_epoch));
    let failed = move |batch_idx, source| Error::Data { dataloader, epoch, batch_idx, source };
    let batches = progress.batches_ready..count.unwrap_or(usize::MAX);
    from(loader, failed, progress.current_epoch, running.ctx.seed, batches, running.device_ahead())
}

/// The batches of an evaluation, at most `count` of them, of one of the loaders that `dataloader` made.
pub(super) fn of_evaluation<'l, M: LightningModule>(
    running: &Running<'_, M>,
    (dataloader, dataloader_idx): (Hook, usize),
    loader: &'l DataLoader<M::Batch>,
    epoch: usize,
    count: Option<usize>,
) -> Result<impl Iterator<Item = Result<EpochBatch<M::Batch>, Error>> + use<'l, M>, Error> {
    let failed = move |batch_idx, source| Error::Data { dataloader, epoch: None, batch_idx, source };
    // counted from the end, as the parts of a combined loader are counted from the beginning
    let seed = running.ctx.seed.derived(usize::MAX - dataloader_idx);
    from(loader, failed, epoch, seed, 0..count.unwrap_or(usize::MAX), running.device_ahead())
}

fn from<'l, B: Batch, F: Fn(Option<usize>, DataError) -> Error>(
    loader: &'l DataLoader<B>,
    failed: F,
    epoch: usize,
    seed: Seed,
    mut places: Range<usize>,
    ahead: Option<Device>,
) -> Result<impl Iterator<Item = Result<EpochBatch<B>, Error>> + use<'l, B, F>, Error> {
    let limit = places.end;
    // other loaders may end before the limit: whether a batch is the last is known once the next one was asked for
    let knows_length = loader.num_batches().is_some();
    let cannot_begin = |source| failed(None, source);
    let batches = loader.epoch_with(epoch as u64, seed).map_err(cannot_begin)?.skip_to(places.start);
    let mut batches = match ahead {
        Some(device) => Fetched::Ahead(batches.prefetch_to_device(device).map_err(cannot_begin)?),
        None => Fetched::AsTheyAre(batches),
    }
    .peekable();
    Ok(std::iter::from_fn(move || {
        let batch_idx = places.next()?;
        let batch = batches.next()?.map_err(|source| failed(Some(batch_idx), source));
        let is_last = batch_idx + 1 == limit || (!knows_length && batches.peek().is_none());
        Some(batch.map(|batch| EpochBatch { batch, batch_idx, is_last }))
    }))
}

/// Batches where the loader left them, or on the device before they are asked for.
enum Fetched<'a, B: Batch> {
    AsTheyAre(Batches<'a, B>),
    Ahead(DeviceBatches<'a, B>),
}

impl<B: Batch> Iterator for Fetched<'_, B> {
    type Item = Result<B, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::AsTheyAre(batches) => batches.next(),
            Self::Ahead(batches) => batches.next(),
        }
    }
}
