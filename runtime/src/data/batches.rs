//! The batches of one epoch.

use std::iter::FusedIterator;

use tch::Device;

use super::{Batch, DataError, DeviceBatches};
use crate::signal::Caught;

/// Batches on their way to whoever asks for them.
pub(super) trait Feed<B> {
    /// How many there are in the whole epoch, where that is known.
    fn num_batches(&self) -> Option<usize>;

    /// The samples in a batch; none where they have no index.
    fn indices(&self, batch_idx: usize) -> &[usize] {
        let _ = batch_idx;
        &[]
    }

    /// A number that two epochs have in common where they deal the same samples in the same batches.
    fn fingerprint(&self) -> u64;

    /// Lets batch `batch_idx` of the epoch be the next one: any where the number of batches is known, otherwise the
    /// first.
    fn skip_to(&mut self, batch_idx: usize);

    /// Whether the next batch can be had without waiting for it.
    fn is_ready(&mut self) -> bool;

    /// Ends waiting for a worker when a signal is caught.
    fn watch(&mut self, caught: &Caught);

    /// The next batch.
    fn next(&mut self) -> Option<Result<B, DataError>>;
}

/// The batches of one epoch: what [`DataLoader::epoch`](super::DataLoader::epoch) answers.
///
/// A batch that can't be read is an error in its place ([`DataError::Sample`], [`DataError::StreamSample`] or
/// [`DataError::Batch`]); the batches after it can still be read. The epoch ends with the error of workers that could
/// not be started, died or took too long ([`DataError::WorkerStart`], [`DataError::WorkerDied`],
/// [`DataError::Timeout`]).
pub struct Batches<'a, B> {
    feed: Box<dyn Feed<B> + 'a>,
    num_batches: Option<usize>,
    batch_idx: usize,
    /// How many batches are to be read and dropped before the next one.
    to_drop: usize,
    is_over: bool,
}

impl<'a, B: Batch> Batches<'a, B> {
    pub(super) fn new(feed: Box<dyn Feed<B> + 'a>) -> Self {
        Self { num_batches: feed.num_batches(), feed, batch_idx: 0, to_drop: 0, is_over: false }
    }

    /// Goes on with batch `batch_idx` of the epoch, counted from 0, without reading those between; past the last one,
    /// with none. Of a stream, what lies before is read and dropped.
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

    /// The dataset's indices of the samples in batch `batch_idx`; empty past the last batch, for a stream and for a
    /// combined loader.
    pub fn indices(&self, batch_idx: usize) -> &[usize] {
        self.feed.indices(batch_idx)
    }

    /// The batches on `device`, each sent there while the one before it is used.
    ///
    /// On a CUDA device the copies run on a stream of their own, from pinned memory
    /// ([`pin_memory`](super::DataLoader::pin_memory)) beside the device's other work. On other devices batches are
    /// moved as by [`Batch::move_to_device`]. A batch is sent ahead when workers have it ready; nothing waits for one that
    /// is not asked for.
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

    /// Ends the epoch with [`DataError::Interrupted`] if a worker is waited for when a signal is caught, or afterwards.
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

    /// Whether it is known that no batch is left.
    pub(super) fn is_through(&self) -> bool {
        self.is_over || self.num_batches == Some(self.batch_idx)
    }

    /// Whether there is a next batch that can be had without waiting for it.
    pub(super) fn is_ready(&mut self) -> bool {
        !self.is_through() && self.to_drop == 0 && self.feed.is_ready()
    }
}

impl<B: Batch> Iterator for Batches<'_, B> {
    type Item = Result<B, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_through() {
            return None;
        }
        while self.to_drop > 0 {
            self.to_drop -= 1;
            let dropped = self.read();
            if self.is_over {
                // `None`, or the error that there can be no batch any more
                return dropped;
            }
        }
        self.read()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.num_batches.map(|all| all - self.batch_idx);
        // workers that die end an epoch early
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
    fn a_batch_that_is_ready_is_not_lost() {
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
    fn combined_batches_are_ready_when_all_are() {
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
