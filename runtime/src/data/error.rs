//! Everything that can be wrong with data.

use std::time::Duration;

use tch::Device;

use super::WorkerInfo;

/// What was wrong with a dataset, a split or a loader. The reason is part of the sentence, so that
/// [`source`](std::error::Error::source) returns none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A loader whose batches would hold nothing.
    #[error("a DataLoader's batch_size is 0; it must be at least 1")]
    ZeroBatchSize,

    /// A loader with nothing to load.
    #[error("a DataLoader's dataset is empty; it must have at least one sample")]
    EmptyDataset,

    /// A loader that drops the only batch it has.
    #[error(
        "a DataLoader has no batch: drop_last(true) drops the incomplete one, and {samples} samples \
         do not fill a batch_size of {batch_size}"
    )]
    NoFullBatch {
        /// How many samples there are.
        samples: usize,
        /// How many samples a batch takes.
        batch_size: usize,
    },

    /// A loader whose workers would read nothing ahead.
    #[error("a DataLoader's prefetch_factor is 0; it must be at least 1")]
    ZeroPrefetchFactor,

    /// Two options that each decide which samples come when.
    #[error("a DataLoader has both a `{one}` and a `{other}`, which decide the same; leave one of them out")]
    ConflictingOptions {
        /// One option.
        one: &'static str,
        /// The other option.
        other: &'static str,
    },

    /// An option about indices, for a dataset that has none.
    #[error(
        "a DataLoader of an iterable dataset can't have a `{option}`, as its samples have no index; leave it out, and order \
         the samples in the dataset"
    )]
    IterableOption {
        /// The option.
        option: &'static str,
    },

    /// An option about a dataset, for a loader that has none.
    #[error("a combined loader has no `{option}` of its own; set it on the loaders that are combined")]
    CombinedOption {
        /// The option.
        option: &'static str,
    },

    /// Nothing to combine.
    #[error("a combined loader has no loader; give it at least one")]
    NoLoaders,

    /// What was wrong with one of several loaders.
    #[error("loader {position} of a combined loader failed: {source}")]
    Combined {
        /// The loader's place among them, from 0.
        position: usize,
        /// What was wrong.
        r#source: Box<DataError>,
    },

    /// A sampler without samples.
    #[error("the sampler of a DataLoader has no samples; it must have at least one")]
    EmptySampler,

    /// A sampler for a larger dataset.
    #[error("the sampler of a DataLoader asks for sample {index} of a dataset of {dataset_len} samples")]
    SamplerIndex {
        /// The first index that is too large.
        index: usize,
        /// How many samples there are.
        dataset_len: usize,
    },

    /// A sampler whose `len` is not what it gives.
    #[error("the sampler of a DataLoader gave {given} {what}, but its `len` says {promised}; they must be equal")]
    SamplerLen {
        /// Whether it gives `indices` or `batches`.
        what: &'static str,
        /// What `len` says.
        promised: usize,
        /// How many there were.
        given: usize,
    },

    /// A sampler that panicked.
    #[error("the sampler of a DataLoader failed to produce the order of epoch {epoch}: {source:#}")]
    Sampler {
        /// The epoch that was asked for.
        epoch: u64,
        /// What the sampler said.
        r#source: anyhow::Error,
    },

    /// A process in which the random numbers of samples can't be kept apart from the others.
    #[error("a DataLoader can't have random numbers of its own: {source:#}")]
    RandomNumbers {
        /// What libtorch said.
        r#source: anyhow::Error,
    },

    /// A loader that takes whole batches from its sampler, where single samples are to be dealt to processes.
    #[error("the samples of a DataLoader with a `batch_sampler` can't be dealt anew; let the batch_sampler do it")]
    OwnBatches,

    /// A chance that is none.
    #[error("weight {index} of a WeightedRandomSampler is {weight}; weights must be finite and at least 0")]
    Weight {
        /// The weight's place, from 0.
        index: usize,
        /// What it is.
        weight: f64,
    },

    /// Chances of which none is above 0.
    #[error("the weights of a WeightedRandomSampler add up to {total}; the sum must be finite and above 0")]
    NoWeight {
        /// The sum of the weights.
        total: f64,
    },

    /// More samples to be drawn, each once, than have a chance.
    #[error(
        "a WeightedRandomSampler without replacement can't draw {num_samples} samples, for only {possible} have a weight \
         above 0"
    )]
    TooFewWeights {
        /// How many are to be drawn.
        num_samples: usize,
        /// How many could be drawn.
        possible: usize,
    },

    /// A process that the run does not have.
    #[error("rank {rank} has no share in a world_size of {world_size}; ranks count from 0")]
    Rank {
        /// The process.
        rank: usize,
        /// How many processes there are.
        world_size: usize,
    },

    /// A sample that its dataset could not give, because of an error or a panic in
    /// [`Dataset::get_item`](super::Dataset::get_item).
    #[error("sample {index} of the dataset could not be read: {source:#}")]
    Sample {
        /// The index that was asked for. For a [`Subset`](super::Subset), the index in the whole dataset.
        index: usize,
        /// What the dataset said.
        r#source: anyhow::Error,
    },

    /// A sample that a stream could not give, because of an error or a panic of the iterator of
    /// [`IterableDataset::iter`](super::IterableDataset::iter).
    #[error(
        "sample {position} of the stream{} could not be read: {source:#}",
        if worker.num_workers > 1 { format!(" of worker {}", worker.id) } else { String::new() }
    )]
    StreamSample {
        /// The sample's place in what the worker reads of the stream in this epoch, from 0.
        position: usize,
        /// Who read it.
        worker: WorkerInfo,
        /// What the stream said.
        r#source: anyhow::Error,
    },

    /// A batch that its dataset could not give, because of an error or a panic in
    /// [`Dataset::get_items`](super::Dataset::get_items), or samples that don't fit together.
    #[error("batch {batch_idx} could not be put together: {source:#}")]
    Batch {
        /// The batch's place in the epoch, from 0.
        batch_idx: usize,
        /// What the dataset or its samples said.
        r#source: anyhow::Error,
    },

    /// A worker that could not be started, because its dataset could not be cloned or there can be no more threads.
    #[error("worker {worker} of a DataLoader could not be started: {source:#}")]
    WorkerStart {
        /// The worker, from 0.
        worker: usize,
        /// What was said to it.
        r#source: anyhow::Error,
    },

    /// A worker whose thread ended before its work was done.
    #[error("worker {worker} of a DataLoader died before it had read its batch")]
    WorkerDied {
        /// The worker, from 0.
        worker: usize,
    },

    /// A batch that took longer than [`DataLoader::timeout`](super::DataLoader::timeout) allows.
    #[error("worker {worker} of a DataLoader has not read its batch within the timeout of {timeout:?}")]
    Timeout {
        /// The worker, from 0.
        worker: usize,
        /// How long it was waited for.
        timeout: Duration,
    },

    /// A batch that was no longer waited for, because the run is to end.
    #[error("worker {worker} of a DataLoader was reading {item}")]
    Interrupted {
        /// The worker, from 0.
        worker: usize,
        /// What it was reading: `sample 3 of the dataset`, or `nothing yet`.
        item: String,
    },

    /// A batch that could not be moved to its device.
    #[error("a batch can't be moved to {device:?}: {source:#}")]
    Device {
        /// Where it was to go.
        device: Device,
        /// What libtorch said.
        r#source: anyhow::Error,
    },

    /// A sample that concatenated datasets do not have.
    #[error("a ConcatDataset is asked for sample {index}, but it has {dataset_len} samples")]
    ConcatIndex {
        /// The index that is too large.
        index: usize,
        /// How many samples there are.
        dataset_len: usize,
    },

    /// A dataset's tensor that holds one scalar and no list of samples.
    #[error("tensor {position} of a TensorDataset is a scalar; its first dimension must count the samples")]
    ScalarTensor {
        /// The tensor's place in the tuple, from 0.
        position: usize,
    },

    /// Tensors of one dataset that disagree about the number of samples.
    #[error("the tensors of a TensorDataset must have the same first dimension, but theirs are {sizes:?}")]
    UnequalSizes {
        /// The first dimension of each tensor.
        sizes: Vec<i64>,
    },

    /// Tensors of one dataset that one index can't select from.
    #[error("the tensors of a TensorDataset must be on one device, but theirs are {devices:?}")]
    UnequalDevices {
        /// The device of each tensor.
        devices: Vec<Device>,
    },

    /// A subset of samples that the dataset does not have.
    #[error("a Subset asks for sample {index} of a dataset of {dataset_len} samples")]
    SubsetIndex {
        /// The first index that is too large.
        index: usize,
        /// How many samples there are.
        dataset_len: usize,
    },

    /// Lengths that leave samples over, or ask for more than there are.
    #[error(
        "the lengths {lengths:?} of a split add up to {}, but the dataset has {dataset_len} samples",
        lengths.iter().map(|&length| length as u128).sum::<u128>()
    )]
    SplitLengths {
        /// The lengths asked for.
        lengths: Vec<usize>,
        /// How many samples there are.
        dataset_len: usize,
    },

    /// Fractions that are not parts of a whole.
    #[error("the fractions {fractions:?} of a split must lie between 0 and 1 and add up to 1")]
    SplitFractions {
        /// The fractions asked for.
        fractions: Vec<f64>,
    },
}

impl DataError {
    /// Whether no batch can come after this error.
    pub(super) fn ends_the_epoch(&self) -> bool {
        match self {
            Self::WorkerStart { .. } | Self::WorkerDied { .. } | Self::Timeout { .. } | Self::Interrupted { .. } => {
                true
            }
            Self::Combined { source, .. } => source.ends_the_epoch(),
            _ => false,
        }
    }

    /// Whether it says that a batch was no longer waited for.
    pub(crate) fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted { .. } => true,
            Self::Combined { source, .. } => source.is_interruption(),
            _ => false,
        }
    }
}
