//! The batches of a loop.

use crate::config::{BatchLimit, LimitError};
use crate::context::{Interruption, RunContext};
use crate::data::{Batch, Batches, DataError, DataLoader, DeviceBatches, DistributedSampler, Sampler, SavedLoader};
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::module::{LightningModule, Run};
use crate::run_location::RunLocation;
use crate::signal::Caught;
use crate::stage::{RunningStage, Stage};
use crate::strategy::{self, LoaderSize, Operation};
use std::ops::Range;
use std::sync::Arc;
use tch::Device;

/// Returns the loaders of a hook with the samples of this process. Fails unless those that the trainer divides have the same numbers of samples
/// and batches in all processes.
pub(super) fn of_processes<B: Batch>(
    ctx: &RunContext,
    dataloader: Hook,
    loaders: Vec<DataLoader<B>>,
) -> Result<Vec<DataLoader<B>>, Error> {
    if !ctx.is_together() {
        return Ok(loaders);
    }
    let samples: Vec<Option<usize>> = loaders.iter().map(|loader| Some(order(ctx, loader).ok()?.len())).collect();
    let loaders = loaders.into_iter().map(|loader| of_process(ctx, dataloader, loader));
    let loaders = loaders.collect::<Result<Vec<_>, _>>()?;
    let sizes = samples.into_iter().zip(&loaders);
    let sizes: Vec<Option<LoaderSize>> =
        sizes.map(|(samples, loader)| Some(LoaderSize { samples: samples?, batches: loader.num_batches() })).collect();
    strategy::check_loaders(ctx.strategy(), dataloader.name(), &sizes)?;
    Ok(loaders)
}

/// Returns a loader with the samples of this process: its part of them, unless the loader was given one by the user.
fn of_process<B: Batch>(ctx: &RunContext, dataloader: Hook, loader: DataLoader<B>) -> Result<DataLoader<B>, Error> {
    let rank = ctx.rank();
    if rank.world_size == 1 || !ctx.config().use_distributed_sampler {
        return Ok(loader);
    }
    let shuffles = dataloader == Hook::TrainDataloader && shuffles(ctx);
    let loader = loader.divide_streams(rank.global, rank.world_size);
    let shared = loader.map_sampler(|sampler| -> Result<Box<dyn Sampler>, DataError> {
        if sampler.is_distributed() {
            return Ok(Box::new(sampler));
        }
        let part = DistributedSampler::new(sampler, rank.global, rank.world_size)?.shuffle(shuffles);
        // a prediction for each sample, and none twice
        Ok(Box::new(if dataloader == Hook::PredictDataloader { part.unrepeated() } else { part }))
    });
    shared.map_err(|source| Error::Data { dataloader, epoch: None, batch_idx: None, source })
}

/// Warns once, on rank 0, if processes evaluate samples twice, because their number cannot be divided. As in Lightning, only in `validate` and
/// `test`, whose values are the result.
pub(super) fn warn_if_repeated<B: Batch>(ctx: &RunContext, dataloader: Hook, loaders: &[DataLoader<B>]) {
    let processes = ctx.world_size();
    if processes == 1 || !ctx.is_global_zero() || ctx.stage() == Stage::Fit {
        return;
    }
    let lengths = loaders.iter().filter_map(|loader| Some(order(ctx, loader).ok()?.len()));
    for samples in lengths.filter(|samples| !samples.is_multiple_of(processes)) {
        let repeated = samples.next_multiple_of(processes) - samples;
        messages::warning!(
            "the {samples} samples of `{dataloader}` cannot be divided among {processes} processes, so that {repeated} of them count \
             twice in logged values: evaluate with `devices: 1` to count each sample once"
        );
    }
}

/// The order of the samples of all processes, or what they come from if the trainer cannot divide them.
pub(super) fn order<B: Batch>(ctx: &RunContext, loader: &DataLoader<B>) -> Result<Arc<dyn Sampler>, &'static str> {
    let order = loader.order()?;
    if order.is_distributed() || !ctx.config().use_distributed_sampler {
        return Err("a sampler that divides it");
    }
    Ok(order)
}

/// Whether the trainer shuffles the training samples of several processes: as Lightning does, whatever the loader's own order is.
pub(super) fn shuffles(ctx: &RunContext) -> bool {
    ctx.config().overfit_batches.is_zero()
}

/// Returns the number of training batches that all processes have.
pub(super) fn least_of_all_ranks(ctx: &RunContext, count: Option<usize>) -> Result<Option<usize>, Error> {
    let counts = ctx.of_all_ranks(Operation::Batches, count)?;
    Ok(if counts.contains(&None) { None } else { counts.into_iter().flatten().min() })
}

/// The number of batches that a loop takes from a loader; `None` if it is unknown until the loader ends.
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
    limited(limit, loader.num_batches(), dataloader)
}

/// The number of batches that a loop takes of `batches`.
pub(super) fn limited(limit: BatchLimit, batches: Option<usize>, dataloader: Hook) -> Result<Option<usize>, Error> {
    let wrong = |source: LimitError| Error::configuration(format!("of the loader of `{dataloader}`, {source}"));
    limit.of(batches).map_err(wrong)
}

/// Warns if all loaders of an evaluation are empty.
pub(super) fn warn_if_empty(dataloader: Hook, counts: &[Option<usize>], limit: BatchLimit) {
    warn_if_no_batch(dataloader, !limit.is_zero() && counts.iter().all(|count| *count == Some(0)));
}

/// Warns if an evaluation had no batches, as with empty streams of unknown length.
pub(super) fn warn_if_no_batch(dataloader: Hook, is_empty: bool) {
    if is_empty {
        messages::warning!("{}", Error::NoBatch { dataloader, epoch: None });
    }
}

/// Whether loaders made for an epoch must be made again: `reload_dataloaders_every_n_epochs`.
pub(super) fn are_outdated(ctx: &RunContext, loaded_at_epoch: Option<usize>) -> bool {
    let every = ctx.config().reload_dataloaders_every_n_epochs;
    every > 0 && loaded_at_epoch.is_none_or(|loaded| ctx.progress().current_epoch() >= loaded + every)
}

/// Whether loaders made now count as made for the running epoch. They do not in a run that is resumed between two such epochs, so
/// that it makes them again in the same epochs as the run that wrote the checkpoint.
pub(super) fn count_as_made(ctx: &RunContext, loaded_at_epoch: Option<usize>) -> bool {
    loaded_at_epoch.is_none() || are_outdated(ctx, loaded_at_epoch)
}

/// One batch of an epoch.
pub(super) struct EpochBatch<B> {
    pub(super) batch: B,
    pub(super) batch_idx: usize,
    pub(super) is_last: bool,
}

/// The batches of the running epoch that are to be trained on.
pub(super) struct BatchesLeft<'l, B> {
    pub(super) batches: Batches<'l, B>,
    /// The index in the epoch of their first.
    pub(super) first: usize,
}

/// The running epoch of the training loader, from its first batch on.
pub(super) fn whole_epoch<'l, M: LightningModule>(
    ctx: &mut RunContext,
    loader: &'l DataLoader<M::Batch>,
) -> Result<Batches<'l, M::Batch>, DataError> {
    let batches = loader.epoch_with(dealt_as(ctx, ctx.progress().current_epoch()), ctx.seed())?;
    ctx.set_train_loader(SavedLoader::of(loader, &batches), Vec::new());
    Ok(batches)
}

/// The loader's epoch for an epoch of training: always the same with `overfit_batches`.
pub(super) fn dealt_as(ctx: &RunContext, epoch: usize) -> u64 {
    if ctx.config().overfit_batches.is_zero() || ctx.stage() != Stage::Fit { epoch as u64 } else { 0 }
}

/// Makes a loader take the same batches in each epoch, if `overfit_batches` is set.
pub(super) fn overfit<B: Batch>(ctx: &RunContext, dataloader: Hook, loader: &mut DataLoader<B>) {
    if !ctx.config().overfit_batches.is_zero() && loader.make_sequential() {
        messages::warning!(
            "`overfit_batches` takes the samples of `{dataloader}` in the dataset's order, not in the loader's"
        );
    }
}

/// Returns the remaining batches of the running training epoch, of which `count` are taken in total: `dealt`, or else from the
/// loader.
pub(super) fn of_epoch<'l, M: LightningModule>(
    run: &mut Run<'_, M>,
    loader: &'l DataLoader<M::Batch>,
    dealt: Option<BatchesLeft<'l, M::Batch>>,
    count: Option<usize>,
) -> Result<impl Iterator<Item = Result<EpochBatch<M::Batch>, Error>> + use<'l, M>, Error> {
    let progress = &run.ctx.progress();
    let failures = Failures::of(run.ctx, Hook::TrainDataloader, Some(progress.current_epoch()));
    let indices = progress.batches_ready()..count.unwrap_or(usize::MAX);
    let whole = |run: &mut Run<'_, M>| Ok(BatchesLeft { batches: whole_epoch::<M>(run.ctx, loader)?, first: 0 });
    let left = dealt.map_or_else(|| whole(run), Ok);
    from(loader, left, failures, indices, run.device_ahead())
}

/// The batches of an evaluation, at most `count` of them, of one of the loaders that `dataloader` made.
pub(super) fn of_evaluation<'l, M: LightningModule>(
    run: &Run<'_, M>,
    (dataloader, dataloader_idx): (Hook, usize),
    loader: &'l DataLoader<M::Batch>,
    epoch: usize,
    count: Option<usize>,
) -> Result<impl Iterator<Item = Result<EpochBatch<M::Batch>, Error>> + use<'l, M>, Error> {
    let ctx = &*run.ctx;
    // counted from the end, as the parts of a combined loader are counted from the beginning
    let seed = ctx.seed().derived(usize::MAX - dataloader_idx);
    let batches = loader.epoch_with(dealt_as(ctx, epoch), seed);
    let left = batches.map(|batches| BatchesLeft { batches, first: 0 });
    from(loader, left, Failures::of(ctx, dataloader, None), 0..count.unwrap_or(usize::MAX), run.device_ahead())
}

/// The location of a loader's errors.
struct Failures {
    dataloader: Hook,
    epoch: Option<usize>,
    location: RunLocation,
    running_stage: RunningStage,
    caught: Caught,
}

impl Failures {
    fn of(ctx: &RunContext, dataloader: Hook, epoch: Option<usize>) -> Self {
        let (location, running_stage) = (ctx.location(), ctx.running_stage());
        Self { dataloader, epoch, location, running_stage, caught: ctx.signals().watched() }
    }

    fn error(&self, batch_idx: Option<usize>, source: DataError) -> Error {
        match self.caught.signal() {
            Some(signal) if source.is_interruption() => {
                let processed = batch_idx.and_then(|batch_idx| batch_idx.checked_sub(1));
                let location = RunLocation { batch_idx: processed, ..self.location };
                let waiting_for = Some(source.to_string());
                Interruption { signal, running_stage: self.running_stage, location, waiting_for }.into()
            }
            _ => Error::Data { dataloader: self.dataloader, epoch: self.epoch, batch_idx, source },
        }
    }
}

fn from<'l, B: Batch>(
    loader: &'l DataLoader<B>,
    left: Result<BatchesLeft<'l, B>, DataError>,
    failures: Failures,
    mut indices: Range<usize>,
    ahead: Option<Device>,
) -> Result<impl Iterator<Item = Result<EpochBatch<B>, Error>> + use<'l, B>, Error> {
    let limit = indices.end;
    // other loaders, and those of other processes, may end before the limit: a batch is known to be the last one when the next one is requested
    let knows_length = loader.num_batches().is_some();
    let cannot_begin = |source| failures.error(None, source);
    let BatchesLeft { batches, first } = left.map_err(cannot_begin)?;
    let batches = batches.watch(&failures.caught).skip_to(indices.start.saturating_sub(first));
    let mut batches = match ahead {
        Some(device) => Fetched::Ahead(batches.prefetch_to_device(device).map_err(cannot_begin)?),
        None => Fetched::AsTheyAre(batches),
    }
    .peekable();
    Ok(std::iter::from_fn(move || {
        let batch_idx = indices.next()?;
        let batch = batches.next()?.map_err(|source| failures.error(Some(batch_idx), source));
        let is_last = batch_idx + 1 == limit || (!(knows_length && limit < usize::MAX) && batches.peek().is_none());
        Some(batch.map(|batch| EpochBatch { batch, batch_idx, is_last }))
    }))
}

/// Batches in host memory, or copied to the device ahead of time.
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
