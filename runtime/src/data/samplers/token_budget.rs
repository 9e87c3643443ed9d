//! A batch sampler whose batches have at most a number of tokens.

use std::ops::Range;
use std::sync::Arc;

use super::BatchSampler;
use crate::data::order::{generator, shuffled};
use crate::data::{DataError, run_seed};

/// Batches of as many samples of similar length as fit into a number of tokens, filled up to the longest: many short ones, or a few long ones.
/// As `--max-tokens` of [fairseq](https://fairseq.readthedocs.io/en/latest/command_line_tools.html).
///
/// The samples are sorted by length, in random order among those of one length, and cut into batches, which are then shuffled. Every epoch
/// has the same number of batches.
///
/// ```
/// use tch_lightning::data::{BatchSampler, TokenBudgetSampler};
///
/// let lengths = vec![3, 100, 3, 50, 3, 50, 3];
/// let sampler = TokenBudgetSampler::new(lengths, 100)?.shuffle(false);
/// assert_eq!(sampler.batches(0), [vec![0, 2, 4, 6], vec![3, 5], vec![1]]);
/// # Ok::<(), tch_lightning::data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenBudgetSampler {
    lengths: Arc<[usize]>,
    max_tokens: usize,
    max_samples: usize,
    /// The batches, as positions in the sorted order.
    batches: Vec<Range<usize>>,
    shuffle: bool,
    seed: Option<u64>,
}

impl TokenBudgetSampler {
    /// Creates a sampler of samples with these lengths. The number of samples in a batch times the length of its longest sample is at most
    /// `max_tokens`.
    ///
    /// # Errors
    /// [`DataError::TokenBudget`] if a single sample has more tokens.
    pub fn new(lengths: impl Into<Arc<[usize]>>, max_tokens: usize) -> Result<Self, DataError> {
        let lengths = lengths.into();
        if let Some(index) = lengths.iter().position(|length| *length > max_tokens) {
            return Err(DataError::TokenBudget { index, length: lengths[index], max_tokens });
        }
        let max_samples = usize::MAX;
        Ok(Self { lengths, max_tokens, max_samples, batches: Vec::new(), shuffle: true, seed: None }.cut())
    }

    /// Sets the largest number of samples in a batch; unlimited by default. 0 is the same as 1.
    pub fn max_samples(self, max_samples: usize) -> Self {
        Self { max_samples: max_samples.max(1), ..self }.cut()
    }

    /// Sets whether the batches, and the samples of one length, are in random order; `true` by default. Otherwise the shortest come first.
    pub fn shuffle(self, shuffle: bool) -> Self {
        Self { shuffle, ..self }
    }

    /// Sets the seed of the orders; by default that of the loader, or else of the [run](run_seed).
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Cuts the sorted lengths into batches. They do not depend on the order of samples of one length.
    fn cut(mut self) -> Self {
        let mut sorted = self.lengths.to_vec();
        sorted.sort_unstable();
        self.batches.clear();
        let mut start = 0;
        for (position, longest) in sorted.iter().enumerate() {
            let samples = position + 1 - start;
            if samples > self.max_samples || samples.saturating_mul(*longest) > self.max_tokens {
                self.batches.push(start..position);
                start = position;
            }
        }
        if start < sorted.len() {
            self.batches.push(start..sorted.len());
        }
        self
    }
}

impl BatchSampler for TokenBudgetSampler {
    fn len(&self) -> usize {
        self.batches.len()
    }

    fn dataset_len(&self) -> Option<usize> {
        Some(self.lengths.len())
    }

    fn batches(&self, epoch: u64) -> Vec<Vec<usize>> {
        let mut generator = generator(self.seed.unwrap_or_else(run_seed), epoch);
        let mut in_order = |len| if self.shuffle { shuffled(&mut generator, len) } else { (0..len).collect() };
        let (mut samples, batches) = (in_order(self.lengths.len()), in_order(self.batches.len()));
        samples.sort_by_key(|&index| self.lengths[index]);
        batches.into_iter().map(|batch| samples[self.batches[batch].clone()].to_vec()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths() -> Vec<usize> {
        (0..200).map(|index| index * 37 % 61 + 1).collect()
    }

    #[test]
    fn batches_are_full_and_have_every_sample_once() {
        let lengths = lengths();
        let sampler = TokenBudgetSampler::new(lengths.clone(), 128).unwrap().seed(3);
        let mut all: Vec<usize> = sampler.batches(0).concat();
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
        let tokens = |batch: &Vec<usize>| batch.len() * batch.iter().map(|index| lengths[*index]).max().unwrap();
        assert!(sampler.batches(0).iter().all(|batch| tokens(batch) <= 128));
        // in the sorted order, no batch has room for the first sample of the next
        let sorted = sampler.clone().shuffle(false).batches(0);
        let has_room = |pair: &[Vec<usize>]| (pair[0].len() + 1) * lengths[pair[1][0]] <= 128;
        assert!(!sorted.windows(2).any(has_room));
    }

    #[test]
    fn orders_are_random_and_have_the_same_number_of_batches() {
        let sampler = TokenBudgetSampler::new(lengths(), 128).unwrap().seed(3);
        assert_eq!(sampler.batches(5), sampler.clone().batches(5));
        assert_ne!(sampler.batches(5), sampler.batches(6));
        assert_eq!((sampler.batches(5).len(), sampler.batches(6).len()), (sampler.len(), sampler.len()));
    }

    #[test]
    fn number_of_samples_can_be_limited() {
        let sampler = TokenBudgetSampler::new(vec![1; 10], 100).unwrap().shuffle(false);
        assert_eq!(sampler.len(), 1);
        let limited = sampler.max_samples(4);
        assert_eq!(limited.batches(0), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    }

    #[test]
    fn sample_that_is_too_long_is_named() {
        assert_eq!(
            TokenBudgetSampler::new(vec![5, 30, 70], 20).unwrap_err().to_string(),
            "a batch of a TokenBudgetSampler has at most 20 tokens, but sample 1 alone has 30: raise max_tokens, or shorten \
             the sample"
        );
        assert_eq!(TokenBudgetSampler::new(Vec::new(), 20).unwrap().len(), 0);
    }
}
