//! Iterable-style datasets: streams of samples.

use std::iter::{Skip, StepBy};
use std::rc::Rc;
use std::sync::Arc;

use super::{Batch, CollateWith};

/// A stream of an unknown number of samples, such as the lines of a pipe or the responses of a server: PyTorch's
/// [`IterableDataset`](https://docs.pytorch.org/docs/stable/data.html#iterable-style-datasets).
/// [`DataLoader::iterable`](super::DataLoader::iterable) loads it.
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
    note = "implement `IterableDataset` for it (`iter`), or load a dataset whose samples have an index by `DataLoader::new`"
)]
pub trait IterableDataset {
    /// The type of one sample, for instance a line of text.
    type Sample;

    /// Returns `worker`'s share of the samples of an epoch.
    ///
    /// Each worker of a loader iterates over its own clone, so a dataset that ignores `worker` yields every sample once
    /// per worker, and in each process of a distributed run. A loader without workers passes a worker whose share is all samples of the
    /// process.
    ///
    /// An item may be an error, which becomes the error of its batch; the samples after it are still read. A panic ends
    /// the stream.
    fn iter(&self, epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<Self::Sample>>;

    /// Joins the samples of this dataset by `collate`, in place of [`Collate`](super::Collate).
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

/// The number of a worker and the number of workers of its loader, over all processes of a run: as PyTorch's
/// [`get_worker_info`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info), which counts those of one process.
///
/// A stream that divides its samples by the workers is so divided over the processes of a distributed run as well. Worker `w` of rank `r` has
/// the `id` `w * world_size + r`, so that a rank takes the same samples with any number of workers: those whose position is `r` modulo the
/// number of ranks, as a [`DistributedSampler`](super::DistributedSampler) does. With
/// [`use_distributed_sampler`](field@crate::TrainerConfig::use_distributed_sampler) set to false, only the workers of the process count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerInfo {
    /// The worker, from 0 to less than `num_workers`. In a distributed run, those of one process are not consecutive.
    pub id: usize,
    /// The number of workers of all processes; a loader without workers counts as one.
    pub num_workers: usize,
}

impl WorkerInfo {
    /// The only reader of a loader without workers.
    pub(super) const ALONE: Self = Self { id: 0, num_workers: 1 };

    /// Returns this worker of one process as a worker of several.
    pub(super) fn among(self, (process, processes): (usize, usize)) -> Self {
        Self { id: self.id * processes + process, num_workers: self.num_workers * processes }
    }

    /// Returns this worker's share of `items`: every [`num_workers`](WorkerInfo::num_workers)th, starting with the one at
    /// [`id`](WorkerInfo::id).
    ///
    /// ```
    /// use tch_lightning::data::WorkerInfo;
    ///
    /// let second = WorkerInfo { id: 1, num_workers: 3 };
    /// assert!(second.share(["a", "b", "c", "d", "e"]).eq(["b", "e"]));
    /// ```
    ///
    /// # Panics
    /// If `num_workers` is 0.
    pub fn share<I: IntoIterator>(self, items: I) -> StepBy<Skip<I::IntoIter>> {
        items.into_iter().skip(self.id).step_by(self.num_workers)
    }
}

/// The concatenation of several streams: PyTorch's
/// [`ChainDataset`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ChainDataset).
///
/// Every worker takes its share of each stream.
#[derive(Debug, Clone)]
pub struct ChainDataset<D> {
    datasets: Vec<D>,
}

impl<D: IterableDataset> ChainDataset<D> {
    /// Creates a stream of the samples of the first dataset, then those of the second, and so on.
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
