//! The share of one process in an order.

use super::Sampler;
use crate::data::{DataError, Seed};
use crate::native;
use std::ops::Range;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// The share of one rank of a distributed run in the order of another sampler: PyTorch's
/// [`DistributedSampler`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler).
///
/// Rank 0 of 4 gets samples 0, 4, 8 and so on, rank 1 samples 1, 5, 9 and so on. As every rank must take the same number of
/// steps, an incomplete last round is filled up with the first samples.
///
/// Every rank must wrap the same order. Samplers without a seed use the [run's](crate::data::run_seed) if
/// [`seed_everything`](crate::seed_everything) was called, in every process with the same number. Otherwise their seed is 0,
/// as in PyTorch, since outside of a run each process has its own random seed.
///
/// ```
/// use tch_lightning::data::{DistributedSampler, RandomSampler, Sampler, SequentialSampler};
///
/// let share = |rank| DistributedSampler::new(SequentialSampler::new(5), rank, 2);
/// assert_eq!(share(0)?.indices(0), [0, 2, 4]);
/// assert_eq!(share(1)?.indices(0), [1, 3, 0]);
///
/// let shuffled = DistributedSampler::new(RandomSampler::new(5).seed(42), 0, 2)?.drop_last(true);
/// assert_eq!(shuffled.len(), 2);
/// # Ok::<(), tch_lightning::data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DistributedSampler<S> {
    sampler: S,
    rank: usize,
    world_size: usize,
    uneven: Uneven,
    shuffle: bool,
}

/// The treatment of an incomplete last round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uneven {
    Repeat,
    Drop,
    Keep,
}

impl<S: Sampler> DistributedSampler<S> {
    /// Creates the share of process `rank` of `world_size`, counted from 0, in the order of `sampler`.
    ///
    /// # Errors
    /// [`DataError::Rank`] if `rank` is not less than `world_size`.
    pub fn new(sampler: S, rank: usize, world_size: usize) -> Result<Self, DataError> {
        if rank < world_size {
            Ok(Self { sampler, rank, world_size, uneven: Uneven::Repeat, shuffle: false })
        } else {
            Err(DataError::Rank { rank, world_size })
        }
    }

    /// Sets whether an incomplete last round is dropped instead of filled up with the first samples; `false` by default.
    pub fn drop_last(self, drop_last: bool) -> Self {
        Self { uneven: if drop_last { Uneven::Drop } else { Uneven::Repeat }, ..self }
    }

    /// Sets whether the order is shuffled before it is shared, by the same random order as that of PyTorch's sampler; `false` by default.
    ///
    /// ```
    /// use tch_lightning::data::{DistributedSampler, Sampler, SequentialSampler};
    ///
    /// tch_lightning::seed_everything(0);
    /// let share = DistributedSampler::new(SequentialSampler::new(8), 0, 2)?.shuffle(true);
    /// // list(DistributedSampler(range(8), 2, 0, shuffle=True, seed=0))
    /// assert_eq!(share.indices(0), [4, 7, 2, 1]);
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    pub fn shuffle(self, shuffle: bool) -> Self {
        Self { shuffle, ..self }
    }

    /// Keeps an incomplete last round as it is: no sample is dropped or repeated, and the first ranks have one more than the
    /// others. For prediction, where ranks may take different numbers of steps: Lightning's
    /// [`UnrepeatedDistributedSampler`](https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/pytorch/overrides/distributed.py).
    pub fn unrepeated(self) -> Self {
        Self { uneven: Uneven::Keep, ..self }
    }
}

impl<S> DistributedSampler<S> {
    /// The seed, which is the same on all ranks.
    fn seed(&self) -> Seed {
        let current = Seed::current();
        if current.is_chosen || self.world_size == 1 { current } else { Seed { number: 0, ..current } }
    }
}

impl<S: Sampler> DistributedSampler<S> {
    /// Returns the samples of all ranks, in the order in which they are divided.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let seed = self.seed();
        let order = seed.scope(|| self.sampler.indices(epoch));
        if self.shuffle { shuffled(seed.number.wrapping_add(epoch), &order) } else { order }
    }
}

/// Samples in the order in which several processes divide them, from and to a position.
pub(crate) struct PartOfOrder<S> {
    divided: DistributedSampler<S>,
    positions: Range<usize>,
    /// The seed of the run, as that of a sampler that divides these samples may be another.
    seed: Seed,
}

impl<S: Sampler> PartOfOrder<S> {
    /// Creates the sampler of the samples at `positions` of those that the ranks of `divided` share.
    pub(crate) fn new(divided: DistributedSampler<S>, positions: Range<usize>, seed: Seed) -> Self {
        Self { divided, positions, seed }
    }

    /// Returns the sampler without its type.
    pub(crate) fn shared(self) -> Arc<dyn Sampler>
    where
        S: 'static,
    {
        Arc::new(self)
    }
}

impl<S: Sampler> Sampler for PartOfOrder<S> {
    fn dataset_len(&self) -> Option<usize> {
        self.divided.dataset_len()
    }

    fn len(&self) -> usize {
        self.positions.len()
    }

    fn indices(&self, epoch: u64) -> Vec<usize> {
        self.seed.scope(|| self.divided.order(epoch)).get(self.positions.clone()).unwrap_or_default().to_vec()
    }
}

/// Returns indices in the random order of `torch.randperm` with this seed.
fn shuffled(seed: u64, indices: &[usize]) -> Vec<usize> {
    let len = i64::try_from(indices.len()).unwrap_or(i64::MAX);
    let order = native::prepare_draws()
        .ok()
        .and_then(|()| native::with_draws(seed, || Tensor::f_randperm(len, (Kind::Int64, Device::Cpu))).ok());
    let positions = order.and_then(|order| Vec::<i64>::try_from(&order).ok()).unwrap_or_default();
    positions.into_iter().filter_map(|position| indices.get(usize::try_from(position).ok()?).copied()).collect()
}

impl<S: Sampler> Sampler for DistributedSampler<S> {
    fn dataset_len(&self) -> Option<usize> {
        self.sampler.dataset_len()
    }

    fn is_distributed(&self) -> bool {
        true
    }

    fn len(&self) -> usize {
        let len = self.sampler.len();
        match self.uneven {
            Uneven::Repeat => len.div_ceil(self.world_size),
            Uneven::Drop => len / self.world_size,
            Uneven::Keep => len.saturating_sub(self.rank).div_ceil(self.world_size),
        }
    }

    fn indices(&self, epoch: u64) -> Vec<usize> {
        let order = self.order(epoch);
        // the padding: the order starts over, more than once if there are more ranks than samples
        (0..self.len()).map(|round| order[(self.rank + round * self.world_size) % order.len()]).collect()
    }
}
