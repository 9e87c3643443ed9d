//! Samplers that draw with equal probabilities.

use std::sync::Arc;

use super::Sampler;
use crate::data::order::{below, generator, permutation, shuffled};
use crate::data::run_seed;

/// Samples in random order: PyTorch's
/// [`RandomSampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler). It is the default
/// sampler of a loader that shuffles.
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
    /// Creates a sampler of every sample, once, of a dataset of this length.
    pub fn new(dataset_len: usize) -> Self {
        Self::with_seed(dataset_len, None)
    }

    pub(in crate::data) fn with_seed(dataset_len: usize, seed: Option<u64>) -> Self {
        Self { dataset_len, num_samples: dataset_len, replacement: false, seed }
    }

    /// Sets whether samples are drawn with replacement; `false` by default.
    pub fn replacement(self, replacement: bool) -> Self {
        Self { replacement, ..self }
    }

    /// Sets the number of samples in an epoch; by default the length of the dataset. If it is larger and there is no
    /// replacement, the epoch consists of several orders of the dataset, one after another.
    pub fn num_samples(self, num_samples: usize) -> Self {
        Self { num_samples, ..self }
    }

    /// Sets the seed of the orders; by default that of the loader, or else of the [run](run_seed).
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

/// The given samples in random order, each once: PyTorch's
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
    /// Creates a sampler of the samples at these indices of the dataset.
    pub fn new(indices: impl Into<Arc<[usize]>>) -> Self {
        Self { indices: indices.into(), seed: None }
    }

    /// Sets the seed of the orders; by default that of the loader, or else of the [run](run_seed).
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }
}

impl Sampler for SubsetRandomSampler {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn indices(&self, epoch: u64) -> Vec<usize> {
        let positions = permutation(self.indices.len(), self.seed.unwrap_or_else(run_seed), epoch);
        positions.into_iter().map(|position| self.indices[position]).collect()
    }
}
