//! Samples without an index.

use std::iter::{Skip, StepBy};
use std::rc::Rc;
use std::sync::Arc;

use super::{Batch, CollateWith};

/// A stream of samples whose number is not known, such as the lines of a pipe or the answers of a server: PyTorch's
/// [`IterableDataset`](https://docs.pytorch.org/docs/stable/data.html#iterable-style-datasets). It is loaded by
/// [`DataLoader::iterable`](super::DataLoader::iterable).
///
/// ```
/// use tch_lightning::data::{DataLoader, IterableDataset, WorkerInfo};
///
/// #[derive(Clone)]
/// struct Primes {
///     below: i64,
/// }
///
/// impl IterableDataset for Primes {
///     type Sample = i64;
///
///     fn iter(&self, _epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<i64>> {
///         let primes = (2..self.below).filter(|n| (2..*n).all(|divisor| n % divisor != 0));
///         worker.share(primes).map(Ok)
///     }
/// }
///
/// let read = |loader: DataLoader<_>| {
///     let batches = loader.epoch(0)?.map(|batch| Ok(Vec::<i64>::try_from(batch?)?));
///     batches.collect::<anyhow::Result<Vec<_>>>()
/// };
/// let alone = DataLoader::iterable(Primes { below: 20 }).batch_size(2);
/// assert_eq!(read(alone)?, [[2, 3], [5, 7], [11, 13], [17, 19]]);
/// let by_two = DataLoader::iterable_with_workers(Primes { below: 20 }, 2).batch_size(2);
/// assert_eq!(read(by_two)?, [[2, 5], [3, 7], [11, 17], [13, 19]]);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an iterable dataset",
    label = "not an iterable dataset",
    note = "implement `IterableDataset` for it (`iter`); a dataset whose samples have an index is loaded by `DataLoader::new`"
)]
pub trait IterableDataset {
    /// One sample, for instance a line of text.
    type Sample;

    /// The samples of an epoch, of which `worker` is to take its share.
    ///
    /// Each worker of a loader iterates over a clone of its own, so that a dataset which does not look at `worker`
    /// gives every sample as often as there are workers. Without workers, one takes all.
    ///
    /// A sample may be an error, which a loader passes on as that of the batch, and others may follow. A panic ends the
    /// stream.
    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<Self::Sample>>;

    /// This dataset with a way of its own to join samples into batches, in place of [`Collate`](super::Collate).
    fn collate_with<F, B>(self, collate: F) -> CollateWith<Self, F>
    where
        Self: Sized,
        F: Fn(Vec<Self::Sample>) -> anyhow::Result<B>,
        B: Batch,
    {
        CollateWith::new(self, collate)
    }
}

macro_rules! iterable_behind_pointer {
    ($($pointer:ident)+) => {$(
        impl<D: IterableDataset> IterableDataset for $pointer<D> {
            type Sample = D::Sample;

            fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<Self::Sample>> {
                (**self).iter(epoch, worker)
            }
        }
    )+};
}

iterable_behind_pointer!(Arc Box Rc);

/// Which worker of a loader reads, as PyTorch's
/// [`get_worker_info`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info) tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerInfo {
    /// The worker, from 0 to less than `num_workers`.
    pub id: usize,
    /// How many workers there are. A loader without workers counts as one.
    pub num_workers: usize,
}

impl WorkerInfo {
    /// The thread that asks for the batches, where there are no workers.
    pub(super) const ALONE: Self = Self { id: 0, num_workers: 1 };

    /// This worker's share of `items`: that at [`id`](WorkerInfo::id), and from there on every
    /// [`num_workers`](WorkerInfo::num_workers)th.
    ///
    /// ```
    /// use tch_lightning::data::WorkerInfo;
    ///
    /// let second = WorkerInfo { id: 1, num_workers: 3 };
    /// assert!(second.share(["a", "b", "c", "d", "e"]).eq(["b", "e"]));
    /// ```
    ///
    /// # Panics
    /// When `num_workers` is 0.
    pub fn share<I: IntoIterator>(self, items: I) -> StepBy<Skip<I::IntoIter>> {
        items.into_iter().skip(self.id).step_by(self.num_workers)
    }
}

/// Streams one after the other, as PyTorch's
/// [`ChainDataset`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ChainDataset).
///
/// Every worker goes through all of them, and takes its share of each.
#[derive(Debug, Clone)]
pub struct ChainDataset<D> {
    datasets: Vec<D>,
}

impl<D: IterableDataset> ChainDataset<D> {
    /// The samples of the first dataset, then those of the second, and so on.
    pub fn new(datasets: Vec<D>) -> Self {
        Self { datasets }
    }
}

impl<D: IterableDataset> IterableDataset for ChainDataset<D> {
    type Sample = D::Sample;

    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<D::Sample>> {
        self.datasets.iter().flat_map(move |dataset| dataset.iter(epoch, worker))
    }
}
