//! DatasetReader of several batches at once.

use std::collections::VecDeque;
use std::iter::StepBy;
use std::ops::Range;
use std::sync::Arc;

use super::current_item::{self, Item};
use super::index_plan::IndexPlan;
use super::plan::Plan;
use super::{Batch, WorkerInfo};
use crate::panic;

/// An iterator over the batches of one worker that reads several at once, of up to `samples` samples together.
pub(super) struct ReadAtOnce<B, Read> {
    plan: Arc<IndexPlan>,
    batches: StepBy<Range<usize>>,
    samples: usize,
    read: Read,
    /// The batches that were read, with their numbers.
    ready: VecDeque<(usize, B)>,
    /// The number of batches to read separately, after one of them failed, so that only that batch fails.
    alone: usize,
}

impl<B: Batch, Read> ReadAtOnce<B, Read>
where
    Read: Fn(&[&[usize]]) -> anyhow::Result<Vec<B>>,
{
    pub(super) fn new(
        plan: Arc<IndexPlan>,
        first_batch: usize,
        worker: WorkerInfo,
        samples: usize,
        read: Read,
    ) -> Self {
        let batches = plan.batches_of(first_batch, worker);
        Self { plan, batches, samples, read, ready: VecDeque::new(), alone: 0 }
    }

    /// The batches to read next.
    fn next_batches(&mut self) -> Vec<usize> {
        let mut together: Vec<usize> = self.batches.next().into_iter().collect();
        let size = |batch: &usize| self.plan.indices(*batch).len();
        let mut left = self.samples.saturating_sub(together.iter().map(size).sum());
        if let Some(rest) = self.alone.checked_sub(1) {
            (self.alone, left) = (rest, 0);
        }
        let mut following = self.batches.clone();
        while let Some(batch) = following.next().filter(|batch| size(batch) <= left) {
            left -= size(&batch);
            together.push(batch);
            self.batches = following.clone();
        }
        together
    }
}

impl<B: Batch, Read> Iterator for ReadAtOnce<B, Read>
where
    Read: Fn(&[&[usize]]) -> anyhow::Result<Vec<B>>,
{
    type Item = anyhow::Result<B>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let before = self.batches.clone();
            let together = self.next_batches();
            if together.is_empty() {
                return None;
            }
            current_item::begin(Item::Batch(together[0]));
            let indices: Vec<&[usize]> = together.iter().map(|batch| self.plan.indices(*batch)).collect();
            match self.plan.with_random_numbers(&together, || panic::catch(|| (self.read)(&indices))) {
                Ok(batches) => self.ready.extend(together.iter().copied().zip(batches)),
                Err(error) if together.len() == 1 => return Some(Err(error)),
                Err(_) => (self.batches, self.alone) = (before, together.len()),
            }
        }
        self.ready.pop_front().map(|(batch_idx, batch)| self.plan.finish(batch, batch_idx))
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{Collate, DataLoader, Dataset};
    use std::sync::{Arc, Mutex};

    /// Fails at 3, and records how many batches are read at once.
    #[derive(Clone, Default)]
    struct Faulty {
        read: Arc<Mutex<Vec<usize>>>,
    }

    impl Dataset for Faulty {
        type Sample = i64;

        fn len(&self) -> usize {
            8
        }

        fn get_item(&self, index: usize) -> anyhow::Result<i64> {
            anyhow::ensure!(index != 3, "the file is cut short");
            Ok(index as i64)
        }

        fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<<i64 as Collate>::Batch>> {
            self.read.lock().unwrap().push(batches.len());
            batches.iter().map(|indices| self.get_items(indices)).collect()
        }

        fn samples_at_once(&self) -> usize {
            5
        }
    }

    #[test]
    fn errors_affect_only_their_batch() {
        let dataset = Faulty::default();
        let loader = DataLoader::new(dataset.clone()).batch_size(2);
        let batches: Vec<_> = loader.epoch(0).unwrap().collect();
        let read = |index: usize| Vec::<i64>::try_from(batches[index].as_ref().unwrap()).unwrap();
        assert_eq!([read(0), read(2), read(3)], [[0, 1], [4, 5], [6, 7]]);
        let said = batches[1].as_ref().unwrap_err().to_string();
        assert_eq!(said, "sample 3 of the dataset could not be read: the file is cut short");
        assert_eq!(*dataset.read.lock().unwrap(), [2, 1, 1, 2], "two batches at once, then those two alone");
    }

    #[test]
    fn workers_read_only_their_own_batches_at_once() {
        let dataset = Faulty::default();
        let loader = DataLoader::with_workers(dataset.clone(), 2).batch_size(1).shuffle(true);
        let batches: Vec<_> = loader.epoch(0).unwrap().skip_to(1).collect();
        let alone: Vec<_> = DataLoader::new(dataset).batch_size(1).shuffle(true).epoch(0).unwrap().skip(1).collect();
        let value = |batch: &Result<tch::Tensor, _>| batch.as_ref().map_or(-1, |batch| batch.int64_value(&[0]));
        assert_eq!(batches.iter().map(value).collect::<Vec<_>>(), alone.iter().map(value).collect::<Vec<_>>());
        assert_eq!(batches.len(), 7);
    }
}
