//! The reader of a loader: reads a dataset on the calling thread or by workers.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::batches::Feed;
use super::draws::Epoch;
use super::index_plan;
use super::options::{Options, Prefetch};
use super::plan::{Plan, Share};
use super::source::Source;
use super::workers::{Pool, Round};
use super::{DataError, Sampler, WorkerInfo};
use crate::counted::counted;
use crate::signal::Caught;

/// A dataset, or several loaders, with their types erased.
pub(super) trait Reader<B> {
    /// The number of batches in an epoch, if it is known.
    fn num_batches(&self, options: &Options) -> Option<usize>;

    /// The number of samples in the dataset; `None` for a stream and for a combined loader.
    fn dataset_len(&self) -> Option<usize>;

    /// The number of workers; `None` for a combined loader.
    fn worker_count(&self) -> Option<usize> {
        None
    }

    /// Starts an epoch. No batch is read yet.
    fn epoch(&self, options: &Options, epoch: Epoch) -> Result<Box<dyn Feed<B> + '_>, DataError>;

    /// Switches to the dataset's order. Returns whether the order was a different one. Streams and batch samplers are left
    /// unchanged.
    fn make_sequential(&mut self, options: &mut Options) -> bool;

    /// Divides streams over several processes: the number of this one and that of all.
    fn divide_streams(&mut self, options: &mut Options, process: (usize, usize));

    /// Describes the batches of an epoch in words, for a message that compares two loaders.
    fn describe(&self, options: &Options) -> String;

    /// The order of the samples, or what the samples come from if they have none that can be divided.
    fn order(&self, options: &Options) -> Result<Arc<dyn Sampler>, &'static str>;

    /// Replaces the sampler by the result of `wrap`.
    fn map_sampler(&mut self, options: &mut Options, wrap: &mut WrapSampler<'_>) -> Result<(), DataError>;
}

/// A function that wraps a sampler in another.
pub(super) type WrapSampler<'a> = dyn FnMut(Arc<dyn Sampler>) -> Result<Arc<dyn Sampler>, DataError> + 'a;

/// A dataset, and the workers that read it.
pub(super) struct DatasetReader<S: Source<Style>, Style> {
    source: S,
    workers: Option<Workers<S, S::Plan, S::Batch>>,
    style: PhantomData<Style>,
}

type StartPool<S, P, B> = fn(&S, usize, Option<Duration>) -> Result<Pool<P, B>, DataError>;

struct Workers<S, P, B> {
    num_workers: usize,
    /// [`Pool::start`], whose bounds a dataset without workers need not satisfy.
    start: StartPool<S, P, B>,
    /// The threads, between two epochs.
    idle: Cell<Option<Pool<P, B>>>,
}

impl<S: Source<Style>, Style> DatasetReader<S, Style> {
    pub(super) fn on_calling_thread(source: S) -> Self {
        Self { source, workers: None, style: PhantomData }
    }

    pub(super) fn with_workers(source: S, num_workers: usize) -> Self
    where
        S: Clone + Send + 'static,
        S::Batch: Send,
    {
        let workers = Workers { num_workers, start: Pool::start::<Style, S>, idle: Cell::new(None) };
        Self { source, workers: (num_workers > 0).then_some(workers), style: PhantomData }
    }

    fn begin(
        &self,
        plan: &Arc<S::Plan>,
        first_batch: usize,
        prefetch: Prefetch,
        caught: Option<Caught>,
    ) -> Result<Running<'_, S::Plan, S::Batch>, DataError> {
        let Some(Workers { num_workers, start, idle }) = &self.workers else {
            return Ok(Running::Here(self.source.share(Arc::clone(plan), first_batch, WorkerInfo::ALONE)));
        };
        let mut pool = match idle.take() {
            Some(pool) => pool,
            None => start(&self.source, *num_workers, prefetch.timeout)?,
        };
        pool.watch(caught);
        Round::start(pool, idle, plan, first_batch, prefetch).map(Running::ByWorkers)
    }
}

impl<S: Source<Style>, Style> Reader<S::Batch> for DatasetReader<S, Style> {
    fn num_batches(&self, options: &Options) -> Option<usize> {
        self.dataset_len().map(|dataset_len| index_plan::num_batches(options, dataset_len))
    }

    fn dataset_len(&self) -> Option<usize> {
        self.source.dataset_len()
    }

    fn worker_count(&self) -> Option<usize> {
        Some(self.workers.as_ref().map_or(0, |workers| workers.num_workers))
    }

    fn epoch(&self, options: &Options, epoch: Epoch) -> Result<Box<dyn Feed<S::Batch> + '_>, DataError> {
        if options.prefetch.factor == 0 {
            return Err(DataError::ZeroPrefetchFactor);
        }
        let plan = Arc::new(self.source.plan(options, epoch)?);
        Ok(Box::new(DatasetFeed {
            reader: self,
            plan,
            prefetch: options.prefetch,
            caught: None,
            batch_idx: 0,
            running: None,
        }))
    }

    fn make_sequential(&mut self, options: &mut Options) -> bool {
        let shuffled = std::mem::take(&mut options.shuffle);
        options.sampler.take().is_some() || shuffled
    }

    fn divide_streams(&mut self, options: &mut Options, process: (usize, usize)) {
        options.process = process;
    }

    fn describe(&self, options: &Options) -> String {
        let batch_size = options.batch_size();
        let Some(dataset_len) = self.dataset_len() else {
            let num_workers = self.workers.as_ref().map_or(1, |workers| workers.num_workers);
            return format!("a stream in batches of {batch_size}, read by {}", counted(num_workers, "worker"));
        };
        let batches = counted(index_plan::num_batches(options, dataset_len), "batch");
        let of = format!("from {}", counted(dataset_len, "sample"));
        let order = match options {
            Options { batch_sampler: Some(_), .. } => {
                return format!("{batches} {of}, from a batch sampler");
            }
            Options { sampler: Some(sampler), .. } => format!("{} from a sampler", counted(sampler.len(), "index")),
            Options { shuffle: true, seed: Some(seed), .. } => format!("shuffled with the seed {seed}"),
            Options { shuffle: true, .. } => "shuffled".to_owned(),
            _ => "in their order".to_owned(),
        };
        format!("{batches} of {batch_size} {of}, {order}")
    }

    fn order(&self, options: &Options) -> Result<Arc<dyn Sampler>, &'static str> {
        match self.dataset_len() {
            None => Err("a stream"),
            Some(_) if options.batch_sampler.is_some() => Err("a batch sampler"),
            Some(dataset_len) => Ok(index_plan::sampler(options, dataset_len)),
        }
    }

    fn map_sampler(&mut self, options: &mut Options, wrap: &mut WrapSampler<'_>) -> Result<(), DataError> {
        let Some(dataset_len) = self.dataset_len() else { return Ok(()) };
        index_plan::refuse_conflict(options)?;
        if options.batch_sampler.is_some() {
            return Err(DataError::OwnBatches);
        }
        options.sampler = Some(wrap(index_plan::sampler(options, dataset_len))?);
        options.shuffle = false;
        Ok(())
    }
}

/// The batches of one epoch of a dataset.
struct DatasetFeed<'a, S: Source<Style>, Style> {
    reader: &'a DatasetReader<S, Style>,
    plan: Arc<S::Plan>,
    prefetch: Prefetch,
    /// The signals that end the wait for a worker.
    caught: Option<Caught>,
    batch_idx: usize,
    /// `None` until the first batch is requested.
    running: Option<Running<'a, S::Plan, S::Batch>>,
}

enum Running<'a, P: Plan, B> {
    Here(Share<'a, B>),
    ByWorkers(Round<'a, P, B>),
}

impl<P: Plan, B> Iterator for Running<'_, P, B> {
    type Item = anyhow::Result<B>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Here(share) => share.next(),
            Self::ByWorkers(round) => round.next(),
        }
    }
}

impl<S: Source<Style>, Style> Feed<S::Batch> for DatasetFeed<'_, S, Style> {
    fn num_batches(&self) -> Option<usize> {
        self.plan.num_batches()
    }

    fn indices(&self, batch_idx: usize) -> &[usize] {
        self.plan.indices(batch_idx)
    }

    fn fingerprint(&self) -> u64 {
        let num_workers = self.reader.workers.as_ref().map_or(1, |workers| workers.num_workers);
        self.plan.fingerprint(num_workers)
    }

    fn skip_to(&mut self, batch_idx: usize) {
        self.running = None;
        self.batch_idx = batch_idx;
    }

    fn is_ready(&mut self) -> bool {
        match &mut self.running {
            Some(Running::ByWorkers(round)) => round.is_ready(),
            _ => false,
        }
    }

    fn watch(&mut self, caught: &Caught) {
        self.caught = Some(caught.clone());
    }

    fn next(&mut self) -> Option<Result<S::Batch, DataError>> {
        if self.running.is_none() {
            match self.reader.begin(&self.plan, self.batch_idx, self.prefetch, self.caught.clone()) {
                Ok(running) => self.running = Some(running),
                Err(error) => return Some(Err(error)),
            }
        }
        let batch = self.running.as_mut()?.next()?;
        let batch_idx = self.batch_idx;
        self.batch_idx += 1;
        // an error of a single sample already names it
        Some(batch.map_err(|error| {
            let violation =
                |error: anyhow::Error| error.downcast().map(|source| DataError::Contract { batch_idx, source });
            let error = error.downcast().or_else(violation);
            error.unwrap_or_else(|source| DataError::Batch { batch_idx, source })
        }))
    }
}
