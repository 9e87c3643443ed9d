//! The plan of an epoch of a map-style dataset.

use std::iter::StepBy;
use std::ops::Range;
use std::sync::Arc;

use super::current_item::{self, Item};
use super::draws::Epoch;
use super::finish::Finish;
use super::options::Options;
use super::plan::{Plan, Share};
use super::seed::mixed;
use super::{Batch, BatchSampler, DataError, RandomSampler, Sampler, SequentialSampler, WorkerInfo};
use crate::panic;

/// The plan of an epoch of a map-style dataset: the indices of each batch.
pub struct IndexPlan {
    epoch: Epoch,
    /// The indices of all batches, one batch after the other.
    indices: Vec<usize>,
    /// The position in `indices` after the last one of each batch.
    ends: Vec<usize>,
    finish: Finish,
}

impl IndexPlan {
    pub(super) fn new(options: &Options, dataset_len: usize, epoch: Epoch) -> Result<Self, DataError> {
        if options.batch_size() == 0 {
            return Err(DataError::ZeroBatchSize);
        }
        if dataset_len == 0 {
            return Err(DataError::EmptyDataset);
        }
        refuse_conflict(options)?;
        let (indices, ends) = match &options.batch_sampler {
            Some(sampler) => batches_of(sampler.as_ref(), dataset_len, epoch.number)?,
            None => order_of(options, dataset_len, epoch.number)?,
        };
        match indices.iter().find(|&&index| index >= dataset_len) {
            Some(&index) => Err(DataError::SamplerIndex { index, dataset_len }),
            None => Ok(Self { epoch, indices, ends, finish: Finish::new(options) }),
        }
    }

    /// Returns an iterator over the batches of one worker, each read when it is requested.
    pub(super) fn share<'a, B: Batch>(
        self: Arc<Self>,
        first_batch: usize,
        worker: WorkerInfo,
        read: impl Fn(&[usize]) -> anyhow::Result<B> + 'a,
    ) -> Share<'a, B> {
        let batches = self.batches_of(first_batch, worker);
        Box::new(batches.map(move |batch_idx| {
            current_item::begin(Item::Batch(batch_idx));
            self.with_random_numbers(&[batch_idx], || {
                panic::catch(|| self.finish(read(self.indices(batch_idx))?, batch_idx))
            })
        }))
    }

    /// Runs `read`, which reads the samples of these batches in that order, with their random numbers.
    pub(super) fn with_random_numbers<T>(&self, batches: &[usize], read: impl FnOnce() -> T) -> T {
        self.epoch.read(batches.iter().map(|batch_idx| self.positions(*batch_idx)).collect(), read)
    }

    /// The positions of a batch's samples in the order of the epoch; empty past the last batch.
    fn positions(&self, batch_idx: usize) -> Range<usize> {
        let Some(&end) = self.ends.get(batch_idx) else { return 0..0 };
        let start = if batch_idx == 0 { 0 } else { self.ends[batch_idx - 1] };
        start..end
    }

    /// The numbers of one worker's batches. The worker depends only on the batch's number, so that it is the same in a
    /// resumed epoch.
    pub(super) fn batches_of(
        &self,
        first_batch: usize,
        WorkerInfo { id, num_workers }: WorkerInfo,
    ) -> StepBy<Range<usize>> {
        let first = first_batch + (id + num_workers - first_batch % num_workers) % num_workers;
        (first..self.ends.len()).step_by(num_workers)
    }

    pub(super) fn finish<B: Batch>(&self, batch: B, batch_idx: usize) -> anyhow::Result<B> {
        self.finish.batch(batch, self.indices(batch_idx))
    }
}

impl Plan for IndexPlan {
    fn num_batches(&self) -> Option<usize> {
        Some(self.ends.len())
    }

    fn fingerprint(&self, _: usize) -> u64 {
        mixed(self.ends.iter().chain(&self.indices).map(|number| *number as u64))
    }

    fn indices(&self, batch_idx: usize) -> &[usize] {
        &self.indices[self.positions(batch_idx)]
    }
}

/// The number of batches in an epoch of a dataset of this length.
pub(super) fn num_batches(options: &Options, dataset_len: usize) -> usize {
    match (&options.batch_sampler, &options.sampler) {
        (Some(sampler), _) => sampler.len(),
        (None, Some(sampler)) => batches_in(options, sampler.len()),
        (None, None) => batches_in(options, dataset_len),
    }
}

/// Returns the sampler of the options, or else the one of a shuffled or of the dataset's order.
pub(super) fn sampler(options: &Options, dataset_len: usize) -> Arc<dyn Sampler> {
    match &options.sampler {
        Some(sampler) => Arc::clone(sampler),
        None if options.shuffle => Arc::new(RandomSampler::with_seed(dataset_len, options.seed)),
        None => Arc::new(SequentialSampler::new(dataset_len)),
    }
}

pub(super) fn refuse_conflict(options: &Options) -> Result<(), DataError> {
    match options.conflict() {
        Some((one, other)) => Err(DataError::ConflictingOptions { one, other }),
        None => Ok(()),
    }
}

/// The indices of an epoch, and the ends of its batches.
type Order = (Vec<usize>, Vec<usize>);

fn batches_of(sampler: &dyn BatchSampler, dataset_len: usize, epoch: u64) -> Result<Order, DataError> {
    expect_dataset(sampler.dataset_len(), dataset_len)?;
    let batches = sampler.batches(epoch);
    expect_promised("batches", sampler.len(), batches.len())?;
    let ends = batches.iter().scan(0, |end, batch| {
        *end += batch.len();
        Some(*end)
    });
    let ends: Vec<usize> = ends.collect();
    if ends.is_empty() { Err(DataError::EmptySampler) } else { Ok((batches.concat(), ends)) }
}

fn order_of(options: &Options, dataset_len: usize, epoch: u64) -> Result<Order, DataError> {
    let sampler = sampler(options, dataset_len);
    expect_dataset(sampler.dataset_len(), dataset_len)?;
    let indices = sampler.indices(epoch);
    expect_promised("indices", sampler.len(), indices.len())?;
    let (samples, batch_size) = (indices.len(), options.batch_size());
    if samples == 0 {
        return Err(DataError::EmptySampler);
    }
    let ends = (1..=batches_in(options, samples)).map(|batch| batch.saturating_mul(batch_size).min(samples));
    let ends: Vec<usize> = ends.collect();
    if ends.is_empty() { Err(DataError::NoFullBatch { samples, batch_size }) } else { Ok((indices, ends)) }
}

/// The number of batches that `samples` samples make.
fn batches_in(options: &Options, samples: usize) -> usize {
    match options.batch_size() {
        0 => 0,
        batch_size if options.drop_last => samples / batch_size,
        batch_size => samples.div_ceil(batch_size),
    }
}

fn expect_dataset(expected: Option<usize>, dataset_len: usize) -> Result<(), DataError> {
    match expected.filter(|expected| *expected != dataset_len) {
        Some(expected) => Err(DataError::SamplerDataset { expected, dataset_len }),
        None => Ok(()),
    }
}

fn expect_promised(what: &'static str, promised: usize, given: usize) -> Result<(), DataError> {
    if promised == given { Ok(()) } else { Err(DataError::SamplerLen { what, promised, given }) }
}
