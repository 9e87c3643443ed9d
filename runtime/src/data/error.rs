//! The errors of datasets, samplers and loaders.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tch::Device;

use super::WorkerInfo;

/// An error of a dataset, a split, a sampler or a loader. `Display` includes the cause, so
/// [`source`](std::error::Error::source) returns `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The batch size of a loader is 0.
    #[error("the batch_size of a DataLoader must be at least 1, but it is 0")]
    ZeroBatchSize,

    /// The dataset of a loader is empty.
    #[error("the dataset of a DataLoader must have at least one sample, but it is empty")]
    EmptyDataset,

    /// The only batch of a loader is incomplete, and `drop_last(true)` drops it.
    #[error(
        "a DataLoader must have at least one batch, but drop_last(true) drops the only one: {samples} samples do not fill \
         a batch_size of {batch_size}"
    )]
    NoFullBatch {
        /// The number of samples.
        samples: usize,
        /// The number of samples in a batch.
        batch_size: usize,
    },

    /// The prefetch factor of a loader is 0.
    #[error("the prefetch_factor of a DataLoader must be at least 1, but it is 0")]
    ZeroPrefetchFactor,

    /// Two options of a loader exclude each other.
    #[error("a DataLoader cannot have both `{one}` and `{other}`; remove one of them")]
    ConflictingOptions {
        /// One option.
        one: &'static str,
        /// The other option.
        other: &'static str,
    },

    /// An option that needs indices is set on a loader of an iterable dataset.
    #[error(
        "a DataLoader of an iterable dataset cannot have a `{option}`, as its samples have no index; remove it, and order \
         the samples in the dataset"
    )]
    IterableOption {
        /// The option.
        option: &'static str,
    },

    /// An option that needs a dataset is set on a combined loader.
    #[error("a combined loader cannot have a `{option}`; set it on the loaders that it combines")]
    CombinedOption {
        /// The option.
        option: &'static str,
    },

    /// A combined loader has no loaders.
    #[error("a combined loader must have at least one loader, but it has none")]
    NoLoaders,

    /// One of the loaders of a combined loader failed.
    #[error("loader {position} of a combined loader failed: {source}")]
    Combined {
        /// The position of the loader, from 0.
        position: usize,
        /// The error of the loader.
        r#source: Box<DataError>,
    },

    /// The sampler of a loader has no samples.
    #[error("the sampler of a DataLoader must have at least one sample, but it has none")]
    EmptySampler,

    /// The sampler of a loader returned an index that its dataset does not have.
    #[error(
        "the sampler of a DataLoader returned index {index}, which is out of range for a dataset of {dataset_len} samples"
    )]
    SamplerIndex {
        /// The first index that is too large.
        index: usize,
        /// The number of samples in the dataset.
        dataset_len: usize,
    },

    /// A sampler is made for another number of samples than the dataset has.
    #[error(
        "the sampler of a DataLoader is made for {expected} samples, but the dataset has {dataset_len}: give it the length of each sample \
         of this dataset"
    )]
    SamplerDataset {
        /// The [`dataset_len`](super::Sampler::dataset_len) of the sampler.
        expected: usize,
        /// The number of samples in the dataset.
        dataset_len: usize,
    },

    /// A sampler returned more or fewer indices or batches than its `len`.
    #[error("the sampler of a DataLoader must return as many {what} as its `len`, {promised}, but it returned {given}")]
    SamplerLen {
        /// `indices` or `batches`.
        what: &'static str,
        /// The value of `len`.
        promised: usize,
        /// The number that was returned.
        given: usize,
    },

    /// A sampler panicked.
    #[error("the sampler of a DataLoader failed to produce the order of epoch {epoch}: {source:#}")]
    Sampler {
        /// The epoch.
        epoch: u64,
        /// The panic.
        r#source: anyhow::Error,
    },

    /// libtorch's generator cannot be replaced while samples are read.
    #[error("cannot seed the random numbers of a DataLoader: {source:#}")]
    RandomNumbers {
        /// The error of libtorch.
        r#source: anyhow::Error,
    },

    /// [`map_sampler`](super::DataLoader::map_sampler) was called on a loader with a `batch_sampler`.
    #[error(
        "cannot redistribute the samples of a DataLoader with a `batch_sampler`; distribute them in the batch_sampler"
    )]
    OwnBatches,

    /// A weight is negative, infinite or NaN.
    #[error("the weights of a WeightedRandomSampler must be finite and at least 0, but weight {index} is {weight}")]
    Weight {
        /// The position of the weight, from 0.
        index: usize,
        /// The weight.
        weight: f64,
    },

    /// All weights are 0, or their sum is infinite.
    #[error("the weights of a WeightedRandomSampler must have a finite sum above 0, but it is {total}")]
    NoWeight {
        /// The sum of the weights.
        total: f64,
    },

    /// More samples are to be drawn without replacement than have a weight above 0.
    #[error(
        "a WeightedRandomSampler without replacement cannot draw {num_samples} samples, as only {possible} have a weight \
         above 0"
    )]
    TooFewWeights {
        /// The number of samples to draw.
        num_samples: usize,
        /// The number of weights above 0.
        possible: usize,
    },

    /// The rank of a distributed sampler is not below its world size.
    #[error("the rank of a DistributedSampler must be less than its world_size, {world_size}, but it is {rank}")]
    Rank {
        /// The rank of the process.
        rank: usize,
        /// The number of processes.
        world_size: usize,
    },

    /// A sample could not be read: [`Dataset::get_item`](super::Dataset::get_item) returned an error or panicked.
    #[error("sample {index} of the dataset could not be read: {source:#}")]
    Sample {
        /// The index of the sample. For a [`Subset`](super::Subset), the index in the underlying dataset.
        index: usize,
        /// The error of the dataset.
        r#source: anyhow::Error,
    },

    /// A sample of a stream could not be read: the iterator of
    /// [`IterableDataset::iter`](super::IterableDataset::iter) returned an error or panicked.
    #[error(
        "sample {position} of the stream{} could not be read: {source:#}",
        if worker.num_workers > 1 { format!(" of worker {}", worker.id) } else { String::new() }
    )]
    StreamSample {
        /// The position of the sample among those that the worker reads in this epoch, from 0.
        position: usize,
        /// The worker that read it.
        worker: WorkerInfo,
        /// The error of the stream.
        r#source: anyhow::Error,
    },

    /// A batch could not be read or collated: [`Dataset::get_items`](super::Dataset::get_items) or the collate function
    /// returned an error or panicked.
    #[error("batch {batch_idx} could not be read: {source:#}")]
    Batch {
        /// The number of the batch in the epoch, from 0.
        batch_idx: usize,
        /// The error of the dataset or of the collate function.
        r#source: anyhow::Error,
    },

    /// A batch does not keep to its contract: [`Batch::check_contract`](super::Batch::check_contract).
    #[error("batch {batch_idx} does not keep to its contract: {source}")]
    Contract {
        /// The number of the batch in the epoch, from 0.
        batch_idx: usize,
        /// The violation.
        r#source: super::ContractViolation,
    },

    /// A worker could not be started: its dataset could not be cloned, or the system has no more threads.
    #[error("worker {worker} of a DataLoader could not be started: {source:#}")]
    WorkerStart {
        /// The worker, from 0.
        worker: usize,
        /// The cause.
        r#source: anyhow::Error,
    },

    /// The thread of a worker ended before it had sent its batch.
    #[error("worker {worker} of a DataLoader died before it had read its batch")]
    WorkerDied {
        /// The worker, from 0.
        worker: usize,
    },

    /// A batch took longer than [`DataLoader::timeout`](super::DataLoader::timeout).
    #[error("worker {worker} of a DataLoader did not read its batch within the timeout of {timeout:?}")]
    Timeout {
        /// The worker, from 0.
        worker: usize,
        /// The timeout.
        timeout: Duration,
    },

    /// The run was stopped by a signal while it waited for a worker.
    #[error("worker {worker} of a DataLoader was reading {item}")]
    Interrupted {
        /// The worker, from 0.
        worker: usize,
        /// The item that it was reading: `sample 3 of the dataset`, or `nothing yet`.
        item: String,
    },

    /// A batch could not be moved to its device.
    #[error("cannot move a batch to {device:?}: {source:#}")]
    Device {
        /// The device.
        device: Device,
        /// The error of libtorch.
        r#source: anyhow::Error,
    },

    /// An index of a [`ConcatDataset`](super::ConcatDataset) is out of range.
    #[error("index {index} is out of range for a ConcatDataset of {dataset_len} samples")]
    ConcatIndex {
        /// The index that is too large.
        index: usize,
        /// The number of samples.
        dataset_len: usize,
    },

    /// A tensor of a dataset is a scalar.
    #[error("tensor {position} of a TensorDataset must have a first dimension, its samples, but it is a scalar")]
    ScalarTensor {
        /// The position of the tensor in the tuple, from 0.
        position: usize,
    },

    /// The tensors of a dataset have different numbers of samples.
    #[error("the tensors of a TensorDataset must have the same first dimension, but theirs are {sizes:?}")]
    UnequalSizes {
        /// The first dimension of each tensor.
        sizes: Vec<i64>,
    },

    /// The tensors of a dataset are on different devices.
    #[error("the tensors of a TensorDataset must be on the same device, but theirs are {devices:?}")]
    UnequalDevices {
        /// The device of each tensor.
        devices: Vec<Device>,
    },

    /// An index of a [`Subset`](super::Subset) is out of range.
    #[error("index {index} of a Subset is out of range for a dataset of {dataset_len} samples")]
    SubsetIndex {
        /// The first index that is too large.
        index: usize,
        /// The number of samples in the dataset.
        dataset_len: usize,
    },

    /// A file of tokens could not be read.
    #[error("cannot read the tokens of {}: {source}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why it could not be read.
        r#source: std::io::Error,
    },

    /// The size of a file of tokens is not a multiple of a token's.
    #[error(
        "{} is not a file of {token} tokens: its {size} bytes are not a multiple of {token_size}; give the type of its tokens",
        path.display()
    )]
    TokenFileSize {
        /// The file.
        path: PathBuf,
        /// The number of bytes in the file.
        size: u64,
        /// The type of its tokens.
        token: &'static str,
        /// The number of bytes of a token.
        token_size: usize,
    },

    /// A file of tokens has not even one window, or windows have no tokens.
    #[error("{}", token_context(path, *tokens, *context))]
    TokenContext {
        /// The file.
        path: PathBuf,
        /// The number of tokens in the file.
        tokens: usize,
        /// The number of tokens in a window.
        context: usize,
    },

    /// The length of a sample is larger than the number of tokens in a batch.
    #[error(
        "a batch of a TokenBudgetSampler has at most {max_tokens} tokens, but sample {index} alone has {length}: raise \
         max_tokens, or shorten the sample"
    )]
    TokenBudget {
        /// The index of the first sample that is too long.
        index: usize,
        /// Its length.
        length: usize,
        /// The number of tokens in a batch.
        max_tokens: usize,
    },

    /// The lengths of a split do not add up to the length of the dataset.
    #[error(
        "the lengths of a split must add up to the {dataset_len} samples of the dataset, but {lengths:?} add up to {}",
        lengths.iter().map(|&length| length as u128).sum::<u128>()
    )]
    SplitLengths {
        /// The lengths.
        lengths: Vec<usize>,
        /// The number of samples in the dataset.
        dataset_len: usize,
    },

    /// The fractions of a split are not between 0 and 1, or do not add up to 1.
    #[error("the fractions of a split must lie between 0 and 1 and add up to 1, but they are {fractions:?}")]
    SplitFractions {
        /// The fractions.
        fractions: Vec<f64>,
    },
}

impl DataError {
    /// Whether this error is the last item of an epoch.
    pub(super) fn ends_the_epoch(&self) -> bool {
        match self {
            Self::WorkerStart { .. } | Self::WorkerDied { .. } | Self::Timeout { .. } | Self::Interrupted { .. } => {
                true
            }
            Self::Combined { source, .. } => source.ends_the_epoch(),
            _ => false,
        }
    }

    /// Whether a signal ended the wait for a batch.
    pub(crate) fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted { .. } => true,
            Self::Combined { source, .. } => source.is_interruption(),
            _ => false,
        }
    }
}

fn token_context(path: &Path, tokens: usize, context: usize) -> String {
    let path = path.display();
    match context {
        0 => format!("the windows of {path} must have at least 1 token: give a context above 0"),
        _ => format!(
            "{path} has {tokens} tokens, and windows of {context} need at least {}: give a larger file or a smaller context",
            context.saturating_add(1)
        ),
    }
}
