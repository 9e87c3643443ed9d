//! Samplers, which determine the samples of an epoch and their order.

mod distributed;
mod length_grouped;
mod random;
mod token_budget;
mod weighted;

use std::sync::Arc;

pub use distributed::DistributedSampler;
pub(crate) use distributed::PartOfOrder;
pub use length_grouped::LengthGroupedSampler;
pub use random::{RandomSampler, SubsetRandomSampler};
pub use token_budget::TokenBudgetSampler;
pub use weighted::WeightedRandomSampler;

/// The order of an epoch's samples: PyTorch's
/// [`Sampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Sampler). Pass it to
/// [`DataLoader::sampler`](super::DataLoader::sampler).
///
/// The order may depend only on the number of the epoch and the [run's seed](super::run_seed), so that a run can be resumed
/// in it. Random numbers drawn by tch in [`indices`](Sampler::indices) are seeded by both when a loader calls it.
///
/// ```
/// use tch_lightning::data::{DataLoader, Sampler};
///
/// /// The last sample first.
/// struct Backwards(usize);
///
/// impl Sampler for Backwards {
///     fn len(&self) -> usize {
///         self.0
///     }
///
///     fn indices(&self, _epoch: u64) -> Vec<usize> {
///         (0..self.0).rev().collect()
///     }
/// }
///
/// let loader = DataLoader::new(vec![10_i64, 11, 12]).batch_size(3).sampler(Backwards(3));
/// let batch = loader.epoch(0)?.next().unwrap()?;
/// assert_eq!(Vec::<i64>::try_from(batch)?, [12, 11, 10]);
/// # Ok::<(), anyhow::Error>(())
/// ```
pub trait Sampler {
    /// The number of indices in an epoch, the same for every epoch.
    fn len(&self) -> usize;

    /// Returns the dataset indices of an epoch's samples, in order. They must be the same for every call with the same
    /// epoch. An index may occur more than once.
    fn indices(&self, epoch: u64) -> Vec<usize>;

    /// Whether there are no indices.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of samples that the dataset must have, for a sampler that knows something of each of them, such as its length. A loader
    /// checks it. Default `None`: of any dataset with these indices.
    fn dataset_len(&self) -> Option<usize> {
        None
    }

    /// Whether these are the samples of one process of several, as those of a [`DistributedSampler`] are. The trainer divides the others
    /// among the processes of a run. Default false.
    fn is_distributed(&self) -> bool {
        false
    }
}

macro_rules! sampler_behind_pointer {
    ($($pointer:ident)+) => {$(
        impl<S: Sampler + ?Sized> Sampler for $pointer<S> {
            fn len(&self) -> usize {
                (**self).len()
            }

            fn indices(&self, epoch: u64) -> Vec<usize> {
                (**self).indices(epoch)
            }

            fn dataset_len(&self) -> Option<usize> {
                (**self).dataset_len()
            }

            fn is_distributed(&self) -> bool {
                (**self).is_distributed()
            }
        }
    )+};
}

sampler_behind_pointer!(Arc Box);

/// The samples of each batch of an epoch, for batches that are not consecutive samples of an order, for instance sentences
/// of similar length: PyTorch's `batch_sampler` of a
/// [`DataLoader`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader). Pass it to
/// [`DataLoader::batch_sampler`](super::DataLoader::batch_sampler).
///
/// ```
/// use tch_lightning::data::{BatchSampler, DataLoader};
///
/// struct ShortThenLong;
///
/// impl BatchSampler for ShortThenLong {
///     fn len(&self) -> usize {
///         2
///     }
///
///     fn batches(&self, _epoch: u64) -> Vec<Vec<usize>> {
///         vec![vec![0, 2, 4], vec![1, 3]]
///     }
/// }
///
/// let loader = DataLoader::new(vec![1_i64, 20, 2, 30, 3]).batch_sampler(ShortThenLong);
/// let batches = loader.epoch(0)?.map(|batch| Ok(Vec::<i64>::try_from(batch?)?));
/// assert_eq!(batches.collect::<anyhow::Result<Vec<_>>>()?, [vec![1, 2, 3], vec![20, 30]]);
/// # Ok::<(), anyhow::Error>(())
/// ```
pub trait BatchSampler {
    /// The number of batches in an epoch, the same for every epoch.
    fn len(&self) -> usize;

    /// Returns the dataset indices of each batch's samples. They must be the same for every call with the same epoch.
    fn batches(&self, epoch: u64) -> Vec<Vec<usize>>;

    /// The number of samples that the dataset must have, as that of a [`Sampler`](Sampler::dataset_len). Default `None`.
    fn dataset_len(&self) -> Option<usize> {
        None
    }

    /// Whether there are no batches.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// All samples in the dataset's order: PyTorch's
/// [`SequentialSampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler). It is the
/// default sampler of a loader that does not shuffle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequentialSampler {
    dataset_len: usize,
}

impl SequentialSampler {
    /// Creates a sampler for a dataset of this length.
    pub fn new(dataset_len: usize) -> Self {
        Self { dataset_len }
    }
}

impl Sampler for SequentialSampler {
    fn len(&self) -> usize {
        self.dataset_len
    }

    fn indices(&self, _: u64) -> Vec<usize> {
        (0..self.dataset_len).collect()
    }
}
