//! Everything that can be wrong with data.

use tch::Device;

/// What was wrong with a dataset, a split or a loader.
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
        "a DataLoader has no batch: drop_last(true) drops the incomplete one, and {dataset_len} samples \
         do not fill a batch_size of {batch_size}"
    )]
    NoFullBatch {
        /// How many samples there are.
        dataset_len: usize,
        /// How many samples a batch takes.
        batch_size: usize,
    },

    /// A sample that its dataset could not give, because of an error or a panic in
    /// [`Dataset::get_item`](super::Dataset::get_item).
    #[error("sample {index} of the dataset could not be read")]
    Sample {
        /// The index that was asked for. For a [`Subset`](super::Subset), the index in the whole dataset.
        index: usize,
        /// What the dataset said.
        source: anyhow::Error,
    },

    /// A batch that its dataset could not give, because of an error or a panic in
    /// [`Dataset::get_items`](super::Dataset::get_items), or samples that don't fit together.
    #[error("batch {batch_idx} could not be put together")]
    Batch {
        /// The batch's place in the epoch, from 0.
        batch_idx: usize,
        /// What the dataset or its samples said.
        source: anyhow::Error,
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
