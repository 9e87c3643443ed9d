//! A sampler that groups samples of similar length.

use std::cmp::Reverse;
use std::sync::Arc;

use super::Sampler;
use crate::data::order::permutation;
use crate::data::run_seed;

/// Samples in random order, but in batches of similar length, so that little is filled up: that of `group_by_length` in
/// [transformers](https://huggingface.co/docs/transformers/main_classes/trainer#transformers.TrainingArguments.group_by_length).
///
/// The samples are shuffled and cut into groups of 50 batches, or of a quarter of the dataset if that is smaller. Each group is sorted, the longest
/// sample first. The longest of all comes first, so that a batch that does not fit into memory fails at once.
///
/// ```
/// use tch_lightning::data::{LengthGroupedSampler, Sampler};
///
/// let lengths: Vec<usize> = (0..1000).map(|index| index % 100 + 1).collect();
/// let order = LengthGroupedSampler::new(lengths.clone(), 8).seed(1).indices(0);
/// let spread = |batch: &[usize]| {
///     let lengths = batch.iter().map(|&index| lengths[index]);
///     lengths.clone().max().unwrap() - lengths.min().unwrap()
/// };
/// // of 99 between the shortest and the longest sample
/// assert!(order.chunks(8).skip(1).filter(|batch| spread(batch) < 10).count() > 100);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LengthGroupedSampler {
    lengths: Arc<[usize]>,
    batch_size: usize,
    seed: Option<u64>,
}

impl LengthGroupedSampler {
    /// Creates a sampler of samples with these lengths, for a loader with this [`batch_size`](crate::data::DataLoader::batch_size).
    pub fn new(lengths: impl Into<Arc<[usize]>>, batch_size: usize) -> Self {
        Self { lengths: lengths.into(), batch_size: batch_size.max(1), seed: None }
    }

    /// Sets the seed of the orders; by default that of the loader, or else of the [run](run_seed).
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }
}

impl Sampler for LengthGroupedSampler {
    fn len(&self) -> usize {
        self.lengths.len()
    }

    fn dataset_len(&self) -> Option<usize> {
        Some(self.lengths.len())
    }

    fn indices(&self, epoch: u64) -> Vec<usize> {
        let shuffled = permutation(self.lengths.len(), self.seed.unwrap_or_else(run_seed), epoch);
        grouped(shuffled, &self.lengths, self.batch_size)
    }
}

/// The largest number of batches in a group.
const BATCHES: usize = 50;

/// Sorts the groups of a shuffled order.
fn grouped(mut order: Vec<usize>, lengths: &[usize], batch_size: usize) -> Vec<usize> {
    let batches = (lengths.len() / (batch_size * 4)).clamp(1, BATCHES);
    for group in order.chunks_mut(batches * batch_size) {
        group.sort_by_key(|&index| Reverse(lengths[index]));
    }
    // the first of the longest, which is the first of its group
    let firsts = (0..order.len()).step_by(batches * batch_size);
    if let Some(longest) = firsts.min_by_key(|&position| Reverse(lengths[order[position]])) {
        order.swap(0, longest);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::grouped;

    /// What `transformers.trainer_pt_utils.get_length_grouped_indices` returns for these lengths if `torch.randperm` returns this
    /// order.
    #[test]
    fn groups_are_those_of_transformers() {
        let shuffled = vec![7, 2, 11, 4, 0, 9, 14, 1, 16, 12, 3, 8, 15, 5, 10, 6, 13];
        let lengths = [5, 3, 9, 9, 1, 12, 7, 4, 4, 8, 2, 6, 11, 3, 10, 12, 1];
        let expected = vec![15, 11, 7, 4, 14, 9, 0, 1, 12, 3, 8, 16, 2, 5, 6, 10, 13];
        assert_eq!(grouped(shuffled.clone(), &lengths, 2), expected);
        let expected = vec![15, 11, 0, 7, 4, 12, 14, 9, 1, 16, 2, 5, 3, 8, 10, 6, 13];
        assert_eq!(grouped(shuffled, &lengths, 5), expected);
        assert_eq!(grouped(Vec::new(), &[], 5), Vec::<usize>::new());
    }
}
