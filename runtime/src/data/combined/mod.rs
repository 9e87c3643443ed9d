//! Combined loaders.

mod members;
mod parallel;
mod sequential;

use super::{Batch, DataLoader};
use parallel::{Mode, Parallel};
use sequential::Sequential;

pub use members::Combine;

/// Combines several loaders into one, to train on all of them at once: Lightning's
/// [`CombinedLoader`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.utilities.combined_loader.html).
///
/// Each function returns a [`DataLoader`], which `train_dataloader` can return. Set batch sizes, orders, workers and so on
/// on the loaders that are combined.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::data::{CombinedLoader, DataLoader};
///
/// let labelled = DataLoader::new((0..6_i64).collect::<Vec<_>>()).batch_size(4);
/// let unlabelled = DataLoader::new((0..15_i64).collect::<Vec<_>>()).batch_size(5);
///
/// let both: DataLoader<(Tensor, Tensor)> = CombinedLoader::max_size_cycle((labelled, unlabelled));
/// assert_eq!(both.num_batches(), Some(3));
/// let (labelled, unlabelled) = both.epoch(0)?.nth(2).unwrap()?;
/// assert_eq!(labelled, Tensor::from_slice(&[0_i64, 1, 2, 3])); // started over
/// assert_eq!(unlabelled, Tensor::from_slice(&[10_i64, 11, 12, 13, 14]));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub enum CombinedLoader {}

impl CombinedLoader {
    /// Yields a batch of each loader until the longest one is exhausted; the others start over as often as needed.
    ///
    /// A loader that starts over within epoch `e` for the `n`th time has the order of its epoch `e + (n << 32)`.
    pub fn max_size_cycle<L: Combine>(loaders: L) -> DataLoader<L::Batch> {
        DataLoader::of(Parallel::new(loaders, Mode::MaxSizeCycle, L::complete))
    }

    /// Yields a batch of each loader until the shortest one is exhausted.
    pub fn min_size<L: Combine>(loaders: L) -> DataLoader<L::Batch> {
        DataLoader::of(Parallel::new(loaders, Mode::MinSize, L::complete))
    }

    /// Yields a batch of each loader until the longest one is exhausted, with `None` for those that are exhausted.
    ///
    /// ```
    /// use tch_lightning::data::{CombinedLoader, DataLoader};
    ///
    /// let loader = CombinedLoader::max_size((DataLoader::new(vec![1_i64]), DataLoader::new(vec![2_i64, 3])));
    /// let (first, second) = loader.epoch(0)?.nth(1).unwrap()?;
    /// assert!(first.is_none() && second.is_some());
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    pub fn max_size<L: Combine>(loaders: L) -> DataLoader<L::Optional> {
        DataLoader::of(Parallel::new(loaders, Mode::MaxSize, Some))
    }

    /// Yields all batches of the first loader, then all of the second, and so on.
    ///
    /// ```
    /// use tch_lightning::data::{CombinedLoader, DataLoader};
    ///
    /// let loader = CombinedLoader::sequential(vec![DataLoader::new(vec![1_i64]), DataLoader::new(vec![2_i64, 3])]);
    /// assert_eq!(loader.num_batches(), Some(3));
    /// ```
    pub fn sequential<B: Batch>(loaders: Vec<DataLoader<B>>) -> DataLoader<B> {
        DataLoader::of(Sequential::new(loaders))
    }
}
