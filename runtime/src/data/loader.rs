//! What deals the samples of a dataset in batches, epoch by epoch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::draws::{Drawer, Epoch};
use super::options::Options;
use super::reading::{Reader, Reading, WrapSampler};
use super::seed::Seed;
use super::source::{IterableStyle, MapStyle, Source};
use super::{Batch, BatchSampler, Batches, DataError, Sampler};
use crate::{native, panic};

/// Deals the samples of a [`Dataset`](super::Dataset) or an [`IterableDataset`](super::IterableDataset) in batches, as
/// PyTorch's [`DataLoader`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader).
///
/// ```
/// use tch_lightning::data::DataLoader;
///
/// let loader = DataLoader::new(vec![1_i64, 2, 3, 4, 5]).batch_size(2);
/// assert_eq!((loader.num_batches(), loader.dataset_len()), (Some(3), Some(5)));
///
/// let batches = loader.epoch(0)?.map(|batch| Ok(Vec::<i64>::try_from(batch?)?));
/// assert_eq!(batches.collect::<anyhow::Result<Vec<_>>>()?, [vec![1, 2], vec![3, 4], vec![5]]);
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Order
/// The order of an epoch depends on the seed and the epoch's number alone, on every platform: a resumed run can start
/// anywhere. Shuffling is a Fisher–Yates shuffle with ChaCha8, seeded with the seed, on the stream numbered as the
/// epoch. [`sampler`](DataLoader::sampler) gives another order.
///
/// A loader without a [`seed`](DataLoader::seed) follows the [run's](super::run_seed): the number given to
/// [`seed_everything`](crate::seed_everything), or a random one. It is saved in checkpoints, so that a resumed run continues in
/// the order of the run it resumes, however its process was seeded. Two runs in one process have the same seed, and deal the
/// same orders, unless the process is seeded in between: each fold of a cross-validation can be run again by itself.
///
/// # Random numbers
/// What a dataset, its collate function or a sampler draws by tch on the CPU (`Tensor::randn`, `dropout`, …) is decided by the
/// seed, the epoch and the sample's place in the order. So augmentations are reproducible, differ from epoch to epoch, and are
/// the same for any number of workers, 0 included; the random numbers of the training are left alone. The samples of a stream
/// are numbered as [`WorkerInfo::share`](super::WorkerInfo::share) deals them, so that this holds for what is drawn after it.
///
/// For other generators, such as those of the crate `rand`, there is [`random_seed`](super::random_seed). What is drawn on a GPU
/// comes from the GPU's own generator.
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use tch_lightning::data::{DataLoader, Dataset};
///
/// /// Zeros with noise.
/// #[derive(Clone)]
/// struct Noise;
///
/// impl Dataset for Noise {
///     type Sample = Tensor;
///
///     fn len(&self) -> usize {
///         8
///     }
///
///     fn get_item(&self, _index: usize) -> anyhow::Result<Tensor> {
///         Ok(Tensor::randn([3], (Kind::Float, Device::Cpu)))
///     }
/// }
///
/// let read = |num_workers, epoch| {
///     DataLoader::with_workers(Noise, num_workers).seed(1).epoch(epoch)?.collect::<Result<Vec<_>, _>>()
/// };
/// assert_eq!(read(0, 5)?, read(3, 5)?);
/// assert_ne!(read(3, 5)?, read(3, 6)?);
/// # Ok::<(), tch_lightning::data::DataError>(())
/// ```
///
/// # Workers
/// A loader made by [`new`](DataLoader::new) reads a batch on the thread that asks for it, when it is asked for. One
/// made by [`with_workers`](DataLoader::with_workers) has threads that read ahead, each from a clone of the dataset.
/// Batch `i` is read by worker `i % num_workers`; they come in the same order, with the same contents, whatever the
/// number of workers.
///
/// The threads start with the first batch that is asked for. They live as long as the loader, unless
/// [`persistent_workers`](DataLoader::persistent_workers) is switched off. Operations of libtorch in a worker run on
/// its thread alone, as in PyTorch's workers.
///
/// Dropping the batches of an epoch midway ends the reading, and dropping the loader ends the threads. The latter waits
/// for the sample that each worker is in, since a thread can't be ended from outside, but at most 5 seconds or the
/// [`timeout`](DataLoader::timeout): a thread that is then still in a sample is left alone, which a warning says.
///
/// A signal ends a run at once that waits for a worker, with a sentence that names the worker and its sample. What is read
/// without workers can't be interrupted so: there the signal counts when the batch has been read.
pub struct DataLoader<B> {
    reader: Box<dyn Reader<B>>,
    options: Options,
}

impl<B: Batch> DataLoader<B> {
    /// A loader of single samples in the dataset's order, read on the thread that asks for them.
    pub fn new<D>(dataset: D) -> Self
    where
        D: Source<MapStyle, Batch = B> + 'static,
    {
        Self::of(Reading::here(dataset))
    }

    /// As [`new`](DataLoader::new), with `num_workers` threads that read ahead; with 0, the same.
    ///
    /// Each thread has a clone of the dataset. The clone of a [`TensorDataset`](super::TensorDataset) shares its
    /// tensors; a dataset that is [`Sync`] and not to be copied can be given in an [`Arc`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tch_lightning::data::DataLoader;
    ///
    /// let dataset = Arc::new((0..100_i64).collect::<Vec<_>>());
    /// let alone = DataLoader::new(Arc::clone(&dataset)).batch_size(10).shuffle(true);
    /// let by_four = DataLoader::with_workers(dataset, 4).batch_size(10).shuffle(true);
    ///
    /// let read = |loader: &DataLoader<_>| loader.epoch(7)?.collect::<Result<Vec<_>, _>>();
    /// assert_eq!(read(&by_four)?, read(&alone)?);
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    pub fn with_workers<D>(dataset: D, num_workers: usize) -> Self
    where
        D: Source<MapStyle, Batch = B> + Clone + Send + 'static,
        B: Send,
    {
        Self::of(Reading::by_workers(dataset, num_workers))
    }

    /// A loader of single samples of a stream, read on the thread that asks for them. How many batches there are is not
    /// known before the last one.
    pub fn iterable<D>(dataset: D) -> Self
    where
        D: Source<IterableStyle, Batch = B> + 'static,
    {
        Self::of(Reading::here(dataset))
    }

    /// As [`iterable`](DataLoader::iterable), with `num_workers` threads that read ahead; with 0, the same.
    ///
    /// Each thread has a clone of the dataset, which is told by [`WorkerInfo`](super::WorkerInfo) which share of the
    /// samples to give. Batches are cut from each share, and come from the workers in turn as long as these have any.
    pub fn iterable_with_workers<D>(dataset: D, num_workers: usize) -> Self
    where
        D: Source<IterableStyle, Batch = B> + Clone + Send + 'static,
        B: Send,
    {
        Self::of(Reading::by_workers(dataset, num_workers))
    }

    pub(super) fn of(reader: impl Reader<B> + 'static) -> Self {
        Self { reader: Box::new(reader), options: Options::default() }
    }

    /// How many samples a batch has; 1 by default. 0 is refused when an epoch starts.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.options.batch_size = Some(batch_size);
        self
    }

    /// Whether each epoch has an order of its own; `false` by default, the dataset's order.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.options.shuffle = shuffle;
        self
    }

    /// What decides the orders of a loader that shuffles, and the random numbers of its samples, in place of the
    /// [run's seed](super::run_seed).
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }

    /// Whether a last batch of fewer samples than the others is left out; `false` by default. Workers that read a
    /// stream each leave out theirs.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.options.drop_last = drop_last;
        self
    }

    /// What decides the samples of an epoch and their order, in place of the dataset's order or
    /// [`shuffle`](DataLoader::shuffle).
    ///
    /// ```
    /// use tch_lightning::data::{DataLoader, RandomSampler};
    ///
    /// let some = RandomSampler::new(1000).replacement(true).num_samples(50);
    /// let loader = DataLoader::new((0..1000_i64).collect::<Vec<_>>()).batch_size(10).sampler(some);
    /// assert_eq!(loader.num_batches(), Some(5));
    /// ```
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.options.sampler = Some(Arc::new(sampler));
        self
    }

    /// What decides the samples of each batch, in place of [`batch_size`](DataLoader::batch_size),
    /// [`shuffle`](DataLoader::shuffle), [`sampler`](DataLoader::sampler) and [`drop_last`](DataLoader::drop_last).
    pub fn batch_sampler(mut self, batch_sampler: impl BatchSampler + 'static) -> Self {
        self.options.batch_sampler = Some(Box::new(batch_sampler));
        self
    }

    /// Puts another sampler in the place of the loader's own, which `wrap` is given: the one of
    /// [`sampler`](DataLoader::sampler), or that of a shuffled order or of the dataset's. Of a combined loader, in the
    /// place of each loader's sampler. A stream has none, and stays as it is.
    ///
    /// It is what gives each process of a distributed run its share of a loader that knows of none:
    ///
    /// ```
    /// use tch_lightning::data::{DataLoader, DistributedSampler};
    ///
    /// let loader = DataLoader::new((0..100_i64).collect::<Vec<_>>()).shuffle(true);
    /// let (rank, world_size) = (1, 4);
    /// let share = loader.map_sampler(|sampler| DistributedSampler::new(sampler, rank, world_size))?;
    /// assert_eq!(share.num_batches(), Some(25));
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// Those of `wrap`; [`DataError::OwnBatches`] if there is a [`batch_sampler`](DataLoader::batch_sampler),
    /// [`DataError::ConflictingOptions`] if there is a sampler and `shuffle(true)`.
    pub fn map_sampler<S>(
        mut self,
        mut wrap: impl FnMut(Arc<dyn Sampler>) -> Result<S, DataError>,
    ) -> Result<Self, DataError>
    where
        S: Sampler + 'static,
    {
        self.map_sampler_by(&mut |sampler| Ok(Arc::new(wrap(sampler)?)))?;
        Ok(self)
    }

    pub(super) fn map_sampler_by(&mut self, wrap: &mut WrapSampler<'_>) -> Result<(), DataError> {
        self.reader.map_sampler(&mut self.options, wrap)
    }

    /// Takes the samples in the dataset's order, whatever order they had. Returns whether they had another.
    pub(crate) fn make_sequential(&mut self) -> bool {
        self.reader.make_sequential(&mut self.options)
    }

    /// The batches of an epoch, in words.
    pub(crate) fn describe(&self) -> String {
        self.reader.describe(&self.options)
    }

    /// Whether batches are put into pinned memory, from which a copy to a GPU does not keep the host waiting; `false`
    /// by default. Workers do it where there are some. Without CUDA it has no effect, which a warning says.
    pub fn pin_memory(mut self, pin_memory: bool) -> Self {
        self.options.pin_memory = pin_memory;
        self
    }

    /// How many batches each worker reads ahead; 2 by default. 0 is refused when an epoch starts.
    pub fn prefetch_factor(mut self, prefetch_factor: usize) -> Self {
        self.options.prefetch.factor = prefetch_factor;
        self
    }

    /// Whether the workers' threads, and what the datasets in them have opened or cached, live on from epoch to epoch;
    /// `true` by default. Otherwise each epoch has new ones, with new clones of the dataset.
    ///
    /// PyTorch's default is the other one, as its workers are processes, each with the memory of one.
    pub fn persistent_workers(mut self, persistent_workers: bool) -> Self {
        self.options.prefetch.persistent_workers = persistent_workers;
        self
    }

    /// How long a batch is waited for that a worker reads; for ever by default. After that time the epoch ends with
    /// [`DataError::Timeout`].
    ///
    /// The same timeout applies when joining worker threads: a thread that is then still in a sample is left alone, with
    /// its clone of the dataset, until the sample is read or the program ends.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.prefetch.timeout = Some(timeout);
        self
    }

    /// The number of batches in an epoch; `None` for a stream, where it is not known.
    pub fn num_batches(&self) -> Option<usize> {
        self.reader.num_batches(&self.options)
    }

    /// The number of samples in the dataset; `None` for a stream, and for a combined loader.
    pub fn dataset_len(&self) -> Option<usize> {
        self.reader.dataset_len()
    }

    /// The batches of an epoch, in an order that the seed and `epoch` alone decide. The seed is that of
    /// [`seed`](DataLoader::seed), or else the [run's](super::run_seed), which outside of a run is the process's.
    ///
    /// ```
    /// use tch_lightning::data::DataLoader;
    ///
    /// let loader = DataLoader::new((0..100_i64).collect::<Vec<_>>()).batch_size(10).shuffle(true);
    /// let read = |epoch| loader.epoch(epoch)?.collect::<Result<Vec<_>, _>>();
    /// assert_eq!(read(3)?, read(3)?);
    /// assert_ne!(read(3)?, read(4)?);
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError`] says why if there is no batch to be had, or if options make no sense together.
    pub fn epoch(&self, epoch: u64) -> Result<Batches<'_, B>, DataError> {
        self.epoch_with(epoch, Seed::current())
    }

    /// As [`epoch`](DataLoader::epoch), with the seed that counts where the loader has none of its own.
    pub(crate) fn epoch_with(&self, number: u64, seed: Seed) -> Result<Batches<'_, B>, DataError> {
        native::prepare_draws().map_err(|error| DataError::RandomNumbers { source: error.into() })?;
        let epoch = Epoch { number, seed: self.options.seed.map_or(seed, Seed::chosen) };
        // samplers are users' code
        let feed = epoch.draw(Drawer::Order, 0, || panic::catch(|| Ok(self.reader.epoch(&self.options, epoch)?)));
        let feed = feed
            .map_err(|error| error.downcast().unwrap_or_else(|source| DataError::Sampler { epoch: number, source }))?;
        Ok(Batches::new(feed))
    }
}

impl<B> fmt::Debug for DataLoader<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DataLoader")
            .field("dataset_len", &self.reader.dataset_len())
            .field("batch_size", &self.options.batch_size())
            .field("shuffle", &self.options.shuffle)
            .field("seed", &self.options.seed)
            .field("drop_last", &self.options.drop_last)
            .finish_non_exhaustive()
    }
}
