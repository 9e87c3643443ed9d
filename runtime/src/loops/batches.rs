//! The batches that a loop goes through.

use crate::config::{BatchLimit, LimitError};
use crate::context::{Interruption, LoopLocation, RunContext};
use crate::data::{Batch, Batches, DataError, DataLoader, DeviceBatches, SavedLoader};
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::module::{LightningModule, Running};
use crate::signal::Caught;
use crate::stage::Stage;
use std::ops::Range;
use tch::Device;

/// How many batches of a loader a loop takes; `None` where only the loader's end tells.
pub(super) fn count<B: Batch>(
    loader: &DataLoader<B>,
    dataloader: Hook,
    limit: BatchLimit,
) -> Result<Option<usize>, Error> {
    if loader.num_batches() == Some(0)
        && let Err(source @ DataError::ZeroBatchSize) = loader.epoch(0)
    {
        return Err(Error::Data { dataloader, epoch: None, batch_idx: None, source });
    }
    let wrong = |source: LimitError| Error::configuration(format!("of the loader of `{dataloader}`, {source}"));
    limit.of(loader.num_batches()).map_err(wrong)
}

/// Prints a warning where none of the loaders of an evaluation has a batch.
pub(super) fn warn_if_empty(dataloader: Hook, counts: &[Option<usize>], limit: BatchLimit) {
    warn_if_no_batch(dataloader, !limit.is_zero() && counts.iter().all(|count| *count == Some(0)));
}

/// Prints a warning where an evaluation has seen no batch, as of streams that do not know their length.
pub(super) fn warn_if_no_batch(dataloader: Hook, is_empty: bool) {
    if is_empty {
        messages::warning!("{}", Error::NoBatch { dataloader, epoch: None });
    }
}

/// Whether loaders that were made for an epoch are to be made anew: `reload_dataloaders_every_n_epochs`.
pub(super) fn are_outdated(ctx: &RunContext, loaded_at_epoch: Option<usize>) -> bool {
    let every = ctx.config().reload_dataloaders_every_n_epochs;
    every > 0 && loaded_at_epoch.is_none_or(|loaded| ctx.progress().current_epoch() >= loaded + every)
}

/// Whether loaders that are made now count as made for the running epoch. A run that is resumed between two such epochs makes them
/// once more, which does not count: they are next made where the run that wrote the checkpoint would have made them.
pub(super) fn count_as_made(ctx: &RunContext, loaded_at_epoch: Option<usize>) -> bool {
    loaded_at_epoch.is_none() || are_outdated(ctx, loaded_at_epoch)
}

/// One batch of an epoch.
pub(super) struct EpochBatch<B> {
    pub(super) batch: B,
    pub(super) batch_idx: usize,
    pub(super) is_last: bool,
}

/// The epoch of the training loader that is running, from its first batch on.
pub(super) fn whole_epoch<'l, M: LightningModule>(
    ctx: &mut RunContext,
    loader: &'l DataLoader<M::Batch>,
) -> Result<Batches<'l, M::Batch>, DataError> {
    let batches = loader.epoch_with(dealt_as(ctx, ctx.progress().current_epoch()), ctx.seed())?;
    ctx.set_train_loader(SavedLoader::of(loader, &batches));
    Ok(batches)
}

/// The epoch of a loader that is dealt in an epoch of training: always the same where the same batches are wanted.
fn dealt_as(ctx: &RunContext, epoch: usize) -> u64 {
    if ctx.config().overfit_batches.is_zero() || ctx.stage() != Stage::Fit { epoch as u64 } else { 0 }
}

/// Makes a loader take the same batches in each epoch, where `overfit_batches` asks for it.
pub(super) fn overfit<B: Batch>(ctx: &RunContext, dataloader: Hook, loader: &mut DataLoader<B>) {
    if !ctx.config().overfit_batches.is_zero() && loader.make_sequential() {
        messages::warning!(
            "`overfit_batches` takes the samples of `{dataloader}` in the dataset's order, not in the loader's"
        );
    }
}

/// The batches of the running training epoch, without those that are done, up to `count` of them all. The loader is asked for them,
/// unless they are `dealt`.
pub(super) fn of_epoch<'l, M: LightningModule>(
    running: &mut Running<'_, M>,
    loader: &'l DataLoader<M::Batch>,
    dealt: Option<Batches<'l, M::Batch>>,
    count: Option<usize>,
) -> Result<impl Iterator<Item = Result<EpochBatch<M::Batch>, Error>> + use<'l, M>, Error> {
    let progress = &running.ctx.progress();
    let failures = Failures::of(running.ctx, Hook::TrainDataloader, Some(progress.current_epoch()));
    let places = progress.batches_ready()..count.unwrap_or(usize::MAX);
    let batches = dealt.map_or_else(|| whole_epoch::<M>(running.ctx, loader), Ok);
    from(loader, batches, failures, places, running.device_ahead())
}

/// The batches of an evaluation, at most `count` of them, of one of the loaders that `dataloader` made.
pub(super) fn of_evaluation<'l, M: LightningModule>(
    running: &Running<'_, M>,
    (dataloader, dataloader_idx): (Hook, usize),
    loader: &'l DataLoader<M::Batch>,
    epoch: usize,
    count: Option<usize>,
) -> Result<impl Iterator<Item = Result<EpochBatch<M::Batch>, Error>> + use<'l, M>, Error> {
    let ctx = &*running.ctx;
    // counted from the end, as the parts of a combined loader are counted from the beginning
    let seed = ctx.seed().derived(usize::MAX - dataloader_idx);
    let batches = loader.epoch_with(dealt_as(ctx, epoch), seed);
    from(loader, batches, Failures::of(ctx, dataloader, None), 0..count.unwrap_or(usize::MAX), running.device_ahead())
}

/// What becomes of a loader's errors.
struct Failures {
    dataloader: Hook,
    epoch: Option<usize>,
    location: LoopLocation,
    caught: Caught,
}

impl Failures {
    fn of(ctx: &RunContext, dataloader: Hook, epoch: Option<usize>) -> Self {
        Self { dataloader, epoch, location: ctx.loop_location(), caught: ctx.signals().watched() }
    }

    fn error(&self, batch_idx: Option<usize>, source: DataError) -> Error {
        match self.caught.signal() {
            Some(signal) if source.is_interruption() => {
                let worked_on = batch_idx.and_then(|batch_idx| batch_idx.checked_sub(1));
                let waiting_for = Some(source.to_string());
                Interruption { signal, location: self.location, batch_idx: worked_on, waiting_for }.into()
            }
            _ => Error::Data { dataloader: self.dataloader, epoch: self.epoch, batch_idx, source },
        }
    }
}

fn from<'l, B: Batch>(
    loader: &'l DataLoader<B>,
    batches: Result<Batches<'l, B>, DataError>,
    failures: Failures,
    mut places: Range<usize>,
    ahead: Option<Device>,
) -> Result<impl Iterator<Item = Result<EpochBatch<B>, Error>> + use<'l, B>, Error> {
    let limit = places.end;
    // other loaders may end before the limit: whether a batch is the last is known once the next one was asked for
    let knows_length = loader.num_batches().is_some();
    let cannot_begin = |source| failures.error(None, source);
    let batches = batches.map_err(cannot_begin)?.watch(&failures.caught).skip_to(places.start);
    let mut batches = match ahead {
        Some(device) => Fetched::Ahead(batches.prefetch_to_device(device).map_err(cannot_begin)?),
        None => Fetched::AsTheyAre(batches),
    }
    .peekable();
    Ok(std::iter::from_fn(move || {
        let batch_idx = places.next()?;
        let batch = batches.next()?.map_err(|source| failures.error(Some(batch_idx), source));
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
