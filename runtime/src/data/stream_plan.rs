//! The plan of an epoch of a stream, which is cut into batches.

use std::iter;
use std::sync::Arc;

use super::current_item::{self, Item};
use super::draws::{Drawer, Epoch};
use super::finish::Finish;
use super::options::Options;
use super::plan::{Plan, Share};
use super::seed::mixed;
use super::{Batch, DataError, WorkerInfo};
use crate::panic;

/// The plan of an epoch of a stream.
pub struct StreamPlan {
    epoch: Epoch,
    batch_size: usize,
    drop_last: bool,
    finish: Finish,
    /// The number of this process and that of all.
    process: (usize, usize),
}

impl StreamPlan {
    pub(super) fn new(options: &Options, epoch: Epoch) -> Result<Self, DataError> {
        if let Some(option) = options.about_order().next() {
            return Err(DataError::IterableOption { option });
        }
        match options.batch_size() {
            0 => Err(DataError::ZeroBatchSize),
            batch_size => {
                let finish = Finish::new(options);
                Ok(Self { epoch, batch_size, drop_last: options.drop_last, finish, process: options.process })
            }
        }
    }

    /// Returns the batches of one worker of this process, cut from the stream that `iter` returns for the epoch.
    pub(super) fn share<'a, S: 'a, B: Batch, I: Iterator<Item = anyhow::Result<S>> + 'a>(
        self: Arc<Self>,
        worker: WorkerInfo,
        iter: impl FnOnce(u64, WorkerInfo) -> I,
        collate: impl Fn(Vec<S>) -> anyhow::Result<B> + 'a,
    ) -> Share<'a, B> {
        let epoch = self.epoch;
        let worker = worker.among(self.process);
        match epoch.draw(Drawer::Stream, 0, || panic::catch(|| Ok(iter(epoch.number, worker)))) {
            Ok(samples) => {
                Box::new(StreamBatches { plan: self, worker, samples, collate, position: 0, is_over: false })
            }
            Err(error) => Box::new(iter::once(Err(error))),
        }
    }
}

impl Plan for StreamPlan {
    fn num_batches(&self) -> Option<usize> {
        None
    }

    fn fingerprint(&self, num_workers: usize) -> u64 {
        mixed([num_workers as u64, self.batch_size as u64, u64::from(self.drop_last)])
    }

    fn indices(&self, _: usize) -> &[usize] {
        &[]
    }
}

/// An iterator over the batches of a stream.
struct StreamBatches<I, C> {
    plan: Arc<StreamPlan>,
    worker: WorkerInfo,
    samples: I,
    collate: C,
    /// The number of samples requested so far.
    position: usize,
    is_over: bool,
}

impl<S, I: Iterator<Item = anyhow::Result<S>>, C> StreamBatches<I, C> {
    /// The position in the stream of this worker's sample, if the stream is shared by all workers in turn.
    fn position_in_stream(&self, position: usize) -> usize {
        position.wrapping_mul(self.worker.num_workers).wrapping_add(self.worker.id)
    }

    fn next_sample(&mut self) -> Option<Result<S, DataError>> {
        if self.is_over {
            return None;
        }
        current_item::begin(Item::StreamSample(self.position));
        let mut panicked = true;
        let sample = self.plan.epoch.draw(Drawer::Sample, self.position_in_stream(self.position), || {
            panic::catch(|| {
                let sample = self.samples.next();
                panicked = false;
                sample.transpose()
            })
        });
        // the iterator must not be used after a panic
        self.is_over = panicked || matches!(sample, Ok(None));
        let (position, worker) = (self.position, self.worker);
        self.position += 1;
        sample.map_err(|source| DataError::StreamSample { position, worker, source }).transpose()
    }
}

impl<S, B: Batch, I, C> Iterator for StreamBatches<I, C>
where
    I: Iterator<Item = anyhow::Result<S>>,
    C: Fn(Vec<S>) -> anyhow::Result<B>,
{
    type Item = anyhow::Result<B>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch_size = self.plan.batch_size;
        // an error is returned after the complete batch has been read, so that the next batch starts where it would have
        let samples: Vec<_> = iter::from_fn(|| self.next_sample()).take(batch_size).collect();
        let is_complete = samples.len() == batch_size;
        let samples: Vec<S> = match samples.into_iter().collect::<Result<_, _>>() {
            Ok(samples) => samples,
            Err(error) => return Some(Err(error.into())),
        };
        if samples.is_empty() || (self.plan.drop_last && !is_complete) {
            return None;
        }
        let last = self.position_in_stream(self.position.saturating_sub(1));
        let join = || panic::catch(|| self.plan.finish.batch((self.collate)(samples)?, &[]));
        Some(self.plan.epoch.draw(Drawer::Collate, last, join))
    }
}
