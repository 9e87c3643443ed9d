//! The batches of one epoch.

use std::iter::FusedIterator;

use tch::Device;

use super::{Batch, DataError, DeviceBatches};
use crate::signal::Caught;

/// The reader of [`Batches`]: that of a dataset, or of several loaders.
pub(super) trait Feed<B> {
    /// The number of batches in the epoch, if it is known.
    fn num_batches(&self) -> Option<usize>;

    /// The indices of the samples in a batch; empty if samples have no index.
    fn indices(&self, batch_idx: usize) -> &[usize] {
        let _ = batch_idx;
        &[]
    }

    /// Returns a number that is equal for two epochs with the same samples in the same batches.
    fn fingerprint(&self) -> u64;

    /// Makes `batch_idx` the next batch. It can be any batch if the number of batches is known, otherwise only the
    /// first.
    fn skip_to(&mut self, batch_idx: usize);

    /// Whether the next batch can be returned without blocking.
    fn is_ready(&mut self) -> bool;

    /// Stops waiting for workers when a signal is caught.
    fn watch(&mut self, caught: &Caught);

    /// The next batch.
    fn next(&mut self) -> Option<Result<B, DataError>>;
}

/// An iterator over the batches of one epoch, returned by [`DataLoader::epoch`](super::DataLoader::epoch).
///
/// A batch that cannot be read is an error ([`DataError::Sample`], [`DataError::StreamSample`] or
/// [`DataError::Batch`]); the batches after it can still be read. If workers cannot be started, die or time out
/// ([`DataError::WorkerStart`], [`DataError::WorkerDied`], [`DataError::Timeout`]), that error is the last item.
pub struct Batches<'a, B> {
    feed: Box<dyn Feed<B> + 'a>,
    num_batches: Option<usize>,
    batch_idx: usize,
    /// The number of batches to read and drop before the next one.
    to_drop: usize,
    is_over: bool,
}

impl<'a, B: Batch> Batches<'a, B> {
    pub(super) fn new(feed: Box<dyn Feed<B> + 'a>) -> Self {
        Self { num_batches: feed.num_batches(), feed, batch_idx: 0, to_drop: 0, is_over: false }
    }

    /// Continues with batch `batch_idx` of the epoch, counted from 0, without reading the ones before it. If it is past
    /// the last batch, the iterator is at its end. The batches of a stream are read and dropped.
    ///
    /// ```
    /// use tch_lightning::data::DataLoader;
    ///
    /// let loader = DataLoader::new(vec![1_i64, 2, 3]);
    /// let third = loader.epoch(0)?.skip_to(2).next().unwrap()?;
    /// assert_eq!(third.int64_value(&[0]), 3);
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    pub fn skip_to(mut self, batch_idx: usize) -> Self {
        self.go_to(batch_idx);
        self
    }

    /// The dataset indices of the samples in batch `batch_idx`. Empty past the last batch, for a stream and for a
    /// combined loader.
    pub fn indices(&self, batch_idx: usize) -> &[usize] {
        self.feed.indices(batch_idx)
    }

    /// Moves the batches to `device`, copying each while the one before it is used.
    ///
    /// On a CUDA device the copies run on a separate stream, and from pinned memory
    /// ([`pin_memory`](super::DataLoader::pin_memory)) they overlap with the device's other work. On other devices batches
    /// are moved by [`Batch::move_to_device`]. A batch is copied ahead only if the workers have it ready; the iterator
    /// never blocks on a batch that has not been requested.
    ///
    /// ```
    /// use tch::Device;
    /// use tch_lightning::data::DataLoader;
    ///
    /// let loader = DataLoader::with_workers(vec![1.0_f32, 2.0, 3.0], 2).pin_memory(true);
    /// for batch in loader.epoch(0)?.prefetch_to_device(Device::Cpu)? {
    ///     assert_eq!(batch?.device(), Device::Cpu);
    /// }
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Device`] if there is no such CUDA device.
    pub fn prefetch_to_device(self, device: Device) -> Result<DeviceBatches<'a, B>, DataError> {
        DeviceBatches::new(self, device)
    }

    /// Ends the epoch with [`DataError::Interrupted`] if a signal is caught before or while it waits for a worker.
    pub(crate) fn watch(mut self, caught: &Caught) -> Self {
        self.watch_mut(caught);
        self
    }

    pub(super) fn watch_mut(&mut self, caught: &Caught) {
        self.feed.watch(caught);
    }

    pub(super) fn go_to(&mut self, batch_idx: usize) {
        (self.batch_idx, self.to_drop) = match self.num_batches {
            Some(all) => (batch_idx.min(all), 0),
            None => (0, batch_idx),
        };
        self.is_over = false;
        self.feed.skip_to(self.batch_idx);
    }

    fn read(&mut self) -> Option<Result<B, DataError>> {
        let batch = self.feed.next();
        self.batch_idx += 1;
        self.is_over = match &batch {
            None => true,
            Some(Err(error)) => error.ends_the_epoch(),
            Some(Ok(_)) => false,
        };
        batch
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.feed.fingerprint()
    }

    pub(super) fn num_batches(&self) -> Option<usize> {
        self.num_batches
    }

    /// The number of batches of the whole epoch; 0 if it is unknown.
    pub(crate) fn count_all(&self) -> usize {
        self.num_batches.unwrap_or_default()
    }

    /// Whether the iterator is known to be at its end.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_over || self.num_batches == Some(self.batch_idx)
    }

    /// Whether there is a next batch that can be returned without blocking.
    pub(super) fn is_ready(&mut self) -> bool {
        !self.is_exhausted() && self.to_drop == 0 && self.feed.is_ready()
    }
}

impl<B: Batch> Iterator for Batches<'_, B> {
    type Item = Result<B, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_exhausted() {
            return None;
        }
        while self.to_drop > 0 {
            self.to_drop -= 1;
            let dropped = self.read();
            if self.is_over {
                // `None`, or the error that ended the epoch
                return dropped;
            }
        }
        self.read()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.num_batches.map(|all| all - self.batch_idx);
        // the lower bound is 0, as a worker that dies ends the epoch early
        (0, if self.is_over { Some(0) } else { left })
    }
}

impl<B: Batch> FusedIterator for Batches<'_, B> {}

#[cfg(test)]
mod tests {
    use std::thread;

    use crate::data::{CombinedLoader, DataLoader};
    use tch::Tensor;

    fn by_two(len: i64) -> DataLoader<Tensor> {
        DataLoader::with_workers((0..len).collect::<Vec<_>>(), 2)
    }

    #[test]
    fn batches_that_are_ready_are_all_returned() {
        let loader = by_two(50);
        let mut batches = loader.epoch(0).unwrap();
        assert!(!batches.is_ready(), "no worker has started");
        assert_eq!(batches.next().unwrap().unwrap().int64_value(&[0]), 0);
        for expected in 1..50 {
            while !batches.is_ready() {
                thread::yield_now();
            }
            assert_eq!(batches.next().unwrap().unwrap().int64_value(&[0]), expected);
        }
        assert!(!batches.is_ready() && batches.next().is_none());
    }

    #[test]
    fn combined_batches_are_ready_when_all_members_are() {
        let loader = CombinedLoader::max_size((by_two(3), by_two(8)));
        let mut batches = loader.epoch(0).unwrap();
        assert!(batches.next().is_some());
        for _ in 1..8 {
            while !batches.is_ready() {
                thread::yield_now();
            }
            assert!(batches.next().unwrap().unwrap().1.is_some());
        }
        assert!(!batches.is_ready());

        let one_reads_here = CombinedLoader::min_size((by_two(3), DataLoader::new(vec![1_i64, 2, 3])));
        let mut batches = one_reads_here.epoch(0).unwrap();
        assert!(batches.next().is_some() && !batches.is_ready());
        let one_by_one = CombinedLoader::sequential(vec![by_two(2), by_two(2)]);
        let mut batches = one_by_one.epoch(0).unwrap();
        assert!(batches.next().is_some());
        while !batches.is_ready() {
            thread::yield_now();
        }
        assert_eq!(batches.map(|batch| batch.unwrap().int64_value(&[0])).collect::<Vec<_>>(), [1, 0, 1]);
    }
}
