//! Which samples an epoch has, and in which order.

mod distributed;
mod random;
mod weighted;

use std::sync::Arc;

pub use distributed::DistributedSampler;
pub use random::{RandomSampler, SubsetRandomSampler};
pub use weighted::WeightedRandomSampler;

/// The order of an epoch's samples, as PyTorch's
/// [`Sampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Sampler). A loader takes one by
/// [`sampler`](super::DataLoader::sampler).
///
/// The epoch's number and the [run's seed](super::run_seed) are all that may decide the order, so that a run can be resumed
/// in it. Random numbers drawn by tch in [`indices`](Sampler::indices) are decided by them, where a loader calls it.
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
    /// How many indices an epoch has, the same for every epoch.
    fn len(&self) -> usize;

    /// The indices of an epoch's samples in the dataset, in order, and always the same for the same epoch. One may
    /// stand more than once.
    fn indices(&self, epoch: u64) -> Vec<usize>;

    /// Whether there is no index.
    fn is_empty(&self) -> bool {
        self.len() == 0
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
        }
    )+};
}

sampler_behind_pointer!(Arc Box);

/// Whole batches of an epoch, where samples should not be cut into batches one after another: sentences of similar
/// length together, for instance. A loader takes one by [`batch_sampler`](super::DataLoader::batch_sampler), as
/// PyTorch's [`DataLoader`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader) does.
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
    /// How many batches an epoch has, the same for every epoch.
    fn len(&self) -> usize;

    /// The indices of each batch's samples in the dataset, always the same for the same epoch.
    fn batches(&self, epoch: u64) -> Vec<Vec<usize>>;

    /// Whether there is no batch.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Every sample in the dataset's order, as PyTorch's
/// [`SequentialSampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler): what a
/// loader has that does not shuffle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequentialSampler {
    dataset_len: usize,
}

impl SequentialSampler {
    /// The samples of a dataset of this length.
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
