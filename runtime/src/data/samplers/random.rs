//! Samples drawn with the same chance.

use std::sync::Arc;

use super::Sampler;
use crate::data::order::{below, generator, permutation, shuffled};
use crate::data::run_seed;

/// Samples in random order, as PyTorch's
/// [`RandomSampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler): what a loader has
/// that shuffles.
///
/// ```
/// use tch_lightning::data::{RandomSampler, Sampler};
///
/// let sampler = RandomSampler::new(100).replacement(true).num_samples(10).seed(42);
/// assert_eq!(sampler.indices(0).len(), 10);
/// assert_ne!(sampler.indices(0), sampler.indices(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomSampler {
    dataset_len: usize,
    num_samples: usize,
    replacement: bool,
    seed: Option<u64>,
}

impl RandomSampler {
    /// Every sample of a dataset of this length, once.
    pub fn new(dataset_len: usize) -> Self {
        Self::with_seed(dataset_len, None)
    }

    pub(in crate::data) fn with_seed(dataset_len: usize, seed: Option<u64>) -> Self {
        Self { dataset_len, num_samples: dataset_len, replacement: false, seed }
    }

    /// Whether a sample that was drawn may be drawn again; `false` by default.
    pub fn replacement(self, replacement: bool) -> Self {
        Self { replacement, ..self }
    }

    /// How many samples an epoch has; as many as the dataset by default. More than those without replacement are the
    /// whole dataset in one order after another.
    pub fn num_samples(self, num_samples: usize) -> Self {
        Self { num_samples, ..self }
    }

    /// What decides the orders, in place of the seed of its loader or of the [run](run_seed).
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }
}

impl Sampler for RandomSampler {
    fn len(&self) -> usize {
        if self.dataset_len == 0 { 0 } else { self.num_samples }
    }

    fn indices(&self, epoch: u64) -> Vec<usize> {
        let (count, dataset_len) = (self.len(), self.dataset_len);
        let mut generator = generator(self.seed.unwrap_or_else(run_seed), epoch);
        if self.replacement {
            return (0..count).map(|_| below(&mut generator, dataset_len)).collect();
        }
        let mut indices = Vec::with_capacity(count);
        while indices.len() < count {
            let left = count - indices.len();
            indices.extend(shuffled(&mut generator, dataset_len).into_iter().take(left));
        }
        indices
    }
}

/// The given samples in random order, each once, as PyTorch's
/// [`SubsetRandomSampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SubsetRandomSampler).
///
/// ```
/// use tch_lightning::data::{Sampler, SubsetRandomSampler};
///
/// let mut indices = SubsetRandomSampler::new(vec![3, 5, 7]).indices(0);
/// indices.sort_unstable();
/// assert_eq!(indices, [3, 5, 7]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsetRandomSampler {
    indices: Arc<[usize]>,
    seed: Option<u64>,
}

impl SubsetRandomSampler {
    /// The samples at these indices of the dataset.
    pub fn new(indices: impl Into<Arc<[usize]>>) -> Self {
        Self { indices: indices.into(), seed: None }
    }

    /// What decides the orders, in place of the seed of its loader or of the [run](run_seed).
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }
}

impl Sampler for SubsetRandomSampler {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn indices(&self, epoch: u64) -> Vec<usize> {
        let places = permutation(self.indices.len(), self.seed.unwrap_or_else(run_seed), epoch);
        places.into_iter().map(|place| self.indices[place]).collect()
    }
}
