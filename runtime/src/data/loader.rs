//! The loader: yields the samples of a dataset in batches, epoch by epoch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::draws::{Drawer, Epoch};
use super::options::Options;
use super::reader::{DatasetReader, Reader, WrapSampler};
use super::seed::Seed;
use super::source::{IterableStyle, MapStyle, Source};
use super::{Batch, BatchSampler, Batches, DataError, Sampler};
use crate::{native, panic};

/// Yields the samples of a [`Dataset`](super::Dataset) or an [`IterableDataset`](super::IterableDataset) in batches:
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
/// The order of an epoch depends only on the seed and the number of the epoch, on every platform, so that a run can be
/// resumed at any batch. Shuffling is a Fisher–Yates shuffle by ChaCha8, with the loader's seed and the number of the epoch
/// as the stream. [`sampler`](DataLoader::sampler) sets another order.
///
/// A loader without a [`seed`](DataLoader::seed) uses the [seed of the run](super::run_seed): the number given to
/// [`seed_everything`](crate::seed_everything), or a random one. It is saved in checkpoints, so that a resumed run continues in
/// the same order, however its process was seeded. Two runs in one process have the same seed and the same orders, unless the
/// process is seeded in between: each fold of a cross-validation can be repeated separately.
///
/// # Random numbers
/// Random numbers that a dataset, its collate function or a sampler draws by tch on the CPU (`Tensor::randn`, `dropout`, …)
/// depend only on the seed, the epoch and the position of the sample in the order. So augmentations are reproducible, differ
/// from epoch to epoch, and are the same for any number of workers, including 0; the generator of the training is not
/// affected. The samples of a stream have the positions of [`WorkerInfo::share`](super::WorkerInfo::share), so that the same
/// holds for numbers that are drawn after it.
///
/// To seed other generators, such as those of the `rand` crate, use [`random_seed`](super::random_seed). Numbers drawn on a
/// GPU come from the GPU's own generator.
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
/// A loader created by [`new`](DataLoader::new) reads each batch on the calling thread, when it is requested. One created by
/// [`with_workers`](DataLoader::with_workers) has threads that read ahead, each from a clone of the dataset. Worker
/// `i % num_workers` reads batch `i`; the order and the contents of the batches do not depend on the number of workers.
///
/// The threads start when the first batch is requested. They live as long as the loader, unless
/// [`persistent_workers`](DataLoader::persistent_workers) is `false`. Operations of libtorch in a worker use one thread, as
/// in PyTorch's workers.
///
/// Dropping the batches of an epoch early stops the reading, and dropping the loader ends the threads. As a thread cannot be
/// ended from outside, the drop waits for the sample that each worker is reading, for at most 5 seconds or the
/// [`timeout`](DataLoader::timeout). A thread that is still reading then is abandoned, with a warning.
///
/// A signal ends a run that waits for a worker at once; the message names the worker and its sample. A read without workers
/// cannot be interrupted: the signal takes effect when the batch has been read.
pub struct DataLoader<B> {
    reader: Box<dyn Reader<B>>,
    options: Options,
}

impl<B: Batch> DataLoader<B> {
    /// Creates a loader with a batch size of 1, in the dataset's order, that reads on the calling thread.
    pub fn new<D>(dataset: D) -> Self
    where
        D: Source<MapStyle, Batch = B> + 'static,
    {
        Self::of(DatasetReader::on_calling_thread(dataset))
    }

    /// Creates a loader as [`new`](DataLoader::new) does, with `num_workers` threads that read ahead. With 0 it is the same
    /// as `new`.
    ///
    /// Each thread has a clone of the dataset. The clone of a [`TensorDataset`](super::TensorDataset) shares its
    /// tensors; to share any other dataset that is [`Sync`], wrap it in an [`Arc`].
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
        Self::of(DatasetReader::with_workers(dataset, num_workers))
    }

    /// Creates a loader of a stream, with a batch size of 1, that reads on the calling thread. The number of batches is not
    /// known in advance.
    pub fn iterable<D>(dataset: D) -> Self
    where
        D: Source<IterableStyle, Batch = B> + 'static,
    {
        Self::of(DatasetReader::on_calling_thread(dataset))
    }

    /// Creates a loader as [`iterable`](DataLoader::iterable) does, with `num_workers` threads that read ahead. With 0 it is
    /// the same as `iterable`.
    ///
    /// Each thread has a clone of the dataset, which receives its share of the samples by
    /// [`WorkerInfo`](super::WorkerInfo). Each share is cut into batches, which come from the workers in turn until all are
    /// exhausted.
    pub fn iterable_with_workers<D>(dataset: D, num_workers: usize) -> Self
    where
        D: Source<IterableStyle, Batch = B> + Clone + Send + 'static,
        B: Send,
    {
        Self::of(DatasetReader::with_workers(dataset, num_workers))
    }

    pub(super) fn of(reader: impl Reader<B> + 'static) -> Self {
        Self { reader: Box::new(reader), options: Options::default() }
    }

    /// Sets the number of samples in a batch; 1 by default. With 0, [`epoch`](DataLoader::epoch) fails.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.options.batch_size = Some(batch_size);
        self
    }

    /// Sets whether the samples are shuffled in each epoch; `false` by default, the dataset's order.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.options.shuffle = shuffle;
        self
    }

    /// Sets the seed of the shuffled orders and of the samples' random numbers; the [run's seed](super::run_seed) by
    /// default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }

    /// Sets whether an incomplete last batch is dropped; `false` by default. Each worker that reads a stream drops its own.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.options.drop_last = drop_last;
        self
    }

    /// Sets the sampler, which determines the samples of an epoch and their order, in place of
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

    /// Sets the batch sampler, which determines the samples of each batch, in place of [`batch_size`](DataLoader::batch_size),
    /// [`shuffle`](DataLoader::shuffle), [`sampler`](DataLoader::sampler) and [`drop_last`](DataLoader::drop_last).
    pub fn batch_sampler(mut self, batch_sampler: impl BatchSampler + 'static) -> Self {
        self.options.batch_sampler = Some(Box::new(batch_sampler));
        self
    }

    /// Replaces the sampler by the result of `wrap`, whose argument is the one of [`sampler`](DataLoader::sampler), or else
    /// that of the shuffled or of the dataset's order. A combined loader replaces the sampler of each of its loaders. A
    /// stream does not have a sampler and is not changed.
    ///
    /// This is how each process of a distributed run gets its share of a loader:
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

    /// The order of the samples, or what the samples come from if they have none that can be divided among processes.
    pub(crate) fn order(&self) -> Result<Arc<dyn Sampler>, &'static str> {
        self.reader.order(&self.options)
    }

    /// Divides the stream of this loader, or the streams of a combined loader, over several processes. The samples of a dataset are divided by
    /// [`map_sampler`](Self::map_sampler).
    pub(crate) fn divide_streams(mut self, process: usize, processes: usize) -> Self {
        self.divide_streams_of((process, processes));
        self
    }

    pub(super) fn divide_streams_of(&mut self, process: (usize, usize)) {
        self.reader.divide_streams(&mut self.options, process);
    }

    /// Switches to the dataset's order. Returns whether the order was a different one.
    pub(crate) fn make_sequential(&mut self) -> bool {
        self.reader.make_sequential(&mut self.options)
    }

    /// Describes the batches of an epoch in words.
    pub(crate) fn describe(&self) -> String {
        self.reader.describe(&self.options)
    }

    /// Sets whether batches are copied to pinned memory, from which copies to a GPU are asynchronous; `false` by default.
    /// The workers make the copy, if there are any. Without CUDA it has no effect, and a warning is printed.
    pub fn pin_memory(mut self, pin_memory: bool) -> Self {
        self.options.pin_memory = pin_memory;
        self
    }

    /// Sets whether each batch is compared with the contract that its derive declares by `#[batch("N 3 H W", f32)]`; `true` by default. The
    /// workers compare them, if there are any. With `false` no batch is looked at; one without a contract has nothing to compare.
    pub fn check_contract(mut self, check_contract: bool) -> Self {
        self.options.check_contract = check_contract;
        self
    }

    /// Sets the number of batches that each worker reads ahead; 2 by default. With 0, [`epoch`](DataLoader::epoch) fails.
    pub fn prefetch_factor(mut self, prefetch_factor: usize) -> Self {
        self.options.prefetch.factor = prefetch_factor;
        self
    }

    /// Sets whether the threads of the workers, with their clones of the dataset, are kept from epoch to epoch; `true` by
    /// default. Otherwise each epoch starts new threads with new clones.
    ///
    /// PyTorch's default is `False`, as its workers are processes, each with its own memory.
    pub fn persistent_workers(mut self, persistent_workers: bool) -> Self {
        self.options.prefetch.persistent_workers = persistent_workers;
        self
    }

    /// Sets the longest time to wait for a worker's batch; unlimited by default. After it the epoch ends with
    /// [`DataError::Timeout`].
    ///
    /// The same timeout applies when joining worker threads: a thread that is still reading a sample then is abandoned, with
    /// its clone of the dataset, until the sample is read or the program ends.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.prefetch.timeout = Some(timeout);
        self
    }

    /// The number of batches in an epoch; `None` for a stream.
    pub fn num_batches(&self) -> Option<usize> {
        self.reader.num_batches(&self.options)
    }

    /// The number of samples in the dataset; `None` for a stream, and for a combined loader.
    pub fn dataset_len(&self) -> Option<usize> {
        self.reader.dataset_len()
    }

    /// The number of workers; `None` for a combined loader.
    pub(crate) fn worker_count(&self) -> Option<usize> {
        self.reader.worker_count()
    }

    /// Starts an epoch and returns its batches, in an order that depends only on the seed and on `epoch`. The seed is that
    /// of [`seed`](DataLoader::seed), or else the [run's](super::run_seed), which outside of a run is the process's.
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
    /// [`DataError`] if there are no batches, or if options exclude each other.
    pub fn epoch(&self, epoch: u64) -> Result<Batches<'_, B>, DataError> {
        self.epoch_with(epoch, Seed::current())
    }

    /// As [`epoch`](DataLoader::epoch), with the seed for a loader without one.
    pub(crate) fn epoch_with(&self, number: u64, seed: Seed) -> Result<Batches<'_, B>, DataError> {
        self.start(&self.options, number, seed)
    }

    /// As [`epoch_with`](Self::epoch_with), with the samples of `sampler` in place of the loader's.
    pub(crate) fn epoch_by(
        &self,
        sampler: impl Sampler + 'static,
        number: u64,
        seed: Seed,
    ) -> Result<Batches<'_, B>, DataError> {
        self.start(&self.options.with_sampler(Arc::new(sampler)), number, seed)
    }

    /// The loader's own seed, or else the run's.
    pub(crate) fn seed_or(&self, of_run: Seed) -> Seed {
        self.options.seed.map_or(of_run, Seed::chosen)
    }

    fn start(&self, options: &Options, number: u64, seed: Seed) -> Result<Batches<'_, B>, DataError> {
        native::prepare_draws().map_err(|error| DataError::RandomNumbers { source: error.into() })?;
        let epoch = Epoch { number, seed: self.seed_or(seed) };
        // samplers are users' code, which may panic
        let feed = epoch.draw(Drawer::Order, 0, || panic::catch(|| Ok(self.reader.epoch(options, epoch)?)));
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
