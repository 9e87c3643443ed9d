//! A sampler that draws with given probabilities.

use super::Sampler;
use crate::data::order::{generator, unit};
use crate::data::{DataError, run_seed};

/// Samples drawn with probabilities in proportion to their weights: PyTorch's
/// [`WeightedRandomSampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler):
/// for instance to draw a rare class as often as the others.
///
/// ```
/// use tch_lightning::data::{DataLoader, WeightedRandomSampler};
///
/// let labels = vec![0_i64, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// let weights = labels.iter().map(|&label| if label == 1 { 0.9 } else { 0.1 }).collect();
/// let loader = DataLoader::new(labels).batch_size(1000).sampler(WeightedRandomSampler::new(weights, 1000)?);
///
/// let ones = loader.epoch(0)?.next().unwrap()?.sum(tch::Kind::Int64).int64_value(&[]);
/// assert!((400..600).contains(&ones));
/// # Ok::<(), tch_lightning::data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeightedRandomSampler {
    weights: WeightTree,
    num_samples: usize,
    replacement: bool,
    seed: Option<u64>,
}

impl WeightedRandomSampler {
    /// Creates a sampler of `num_samples` samples per epoch, drawn with replacement from a dataset with as many samples as
    /// there are weights. The weights need not add up to 1.
    ///
    /// # Errors
    /// [`DataError::Weight`] if a weight is negative or not finite, [`DataError::NoWeight`] if none is above 0 or
    /// their sum is not finite.
    pub fn new(weights: Vec<f64>, num_samples: usize) -> Result<Self, DataError> {
        if let Some(index) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(DataError::Weight { index, weight: weights[index] });
        }
        let weights = WeightTree::new(&weights);
        if !(weights.total() > 0.0 && weights.total().is_finite()) {
            return Err(DataError::NoWeight { total: weights.total() });
        }
        Ok(Self { weights, num_samples, replacement: true, seed: None })
    }

    /// Sets whether samples are drawn with replacement; `true` by default.
    ///
    /// # Errors
    /// [`DataError::TooFewWeights`] if fewer weights are above 0 than samples are to be drawn without replacement.
    pub fn replacement(self, replacement: bool) -> Result<Self, DataError> {
        let possible = self.weights.positive();
        if !replacement && possible < self.num_samples {
            return Err(DataError::TooFewWeights { num_samples: self.num_samples, possible });
        }
        Ok(Self { replacement, ..self })
    }

    /// Sets the seed of the orders; by default that of the loader, or else of the [run](run_seed).
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }
}

impl Sampler for WeightedRandomSampler {
    fn len(&self) -> usize {
        self.num_samples
    }

    fn indices(&self, epoch: u64) -> Vec<usize> {
        let mut generator = generator(self.seed.unwrap_or_else(run_seed), epoch);
        if self.replacement {
            return (0..self.num_samples).map(|_| self.weights.find(unit(&mut generator))).collect();
        }
        let mut left = self.weights.clone();
        let draw = |_| {
            let index = left.find(unit(&mut generator));
            left.remove(index);
            index
        };
        (0..self.num_samples).map(draw).collect()
    }
}

/// Weights in a binary tree, each node the sum of its two children.
///
/// It needs only additions, which every platform rounds alike; the usual method without replacement needs logarithms, which
/// are rounded differently. Removing a weight recomputes the sums above it, so that no rounding error remains.
#[derive(Debug, Clone)]
struct WeightTree {
    /// The root at 1, the children of node `n` at `2n` and `2n + 1`, the weights in the second half.
    nodes: Vec<f64>,
}

impl WeightTree {
    fn new(weights: &[f64]) -> Self {
        let leaves = weights.len().next_power_of_two();
        let mut nodes = vec![0.0; 2 * leaves];
        nodes[leaves..leaves + weights.len()].copy_from_slice(weights);
        for node in (1..leaves).rev() {
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1];
        }
        Self { nodes }
    }

    fn leaves(&self) -> usize {
        self.nodes.len() / 2
    }

    fn total(&self) -> f64 {
        self.nodes[1]
    }

    /// The number of weights above 0.
    fn positive(&self) -> usize {
        self.nodes[self.leaves()..].iter().filter(|weight| **weight > 0.0).count()
    }

    /// Returns the index of the weight whose interval contains `part` of the total. Its weight is never 0.
    fn find(&self, part: f64) -> usize {
        let mut left_over = part * self.total();
        let mut node = 1;
        while node < self.leaves() {
            let (left, right) = (self.nodes[2 * node], self.nodes[2 * node + 1]);
            // because of rounding, a little may be left although the right subtree is empty
            node = if left_over < left || right == 0.0 {
                2 * node
            } else {
                left_over -= left;
                2 * node + 1
            };
        }
        node - self.leaves()
    }

    fn remove(&mut self, index: usize) {
        let mut node = self.leaves() + index;
        self.nodes[node] = 0.0;
        while node > 1 {
            node /= 2;
            self.nodes[node] = self.nodes[2 * node] + self.nodes[2 * node + 1];
        }
    }
}
