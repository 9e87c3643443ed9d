//! Subsets and splits of a dataset.

use std::sync::Arc;

use super::order::permutation;
use super::{Collate, DataError, Dataset};

/// The stream of the seed's generator for splits. No epoch reaches it, so that a loader with the same seed does not repeat
/// their order.
const SPLIT_STREAM: u64 = u64::MAX;

/// A subset of the samples of a dataset: PyTorch's
/// [`Subset`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Subset).
///
/// ```
/// use tch_lightning::data::{Dataset, Subset};
///
/// let evens = Subset::new(vec![0_i64, 1, 2, 3, 4], vec![0, 2, 4])?;
/// assert_eq!(evens.len(), 3);
/// assert_eq!(evens.get_item(1)?, 2);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Subset<D> {
    dataset: D,
    indices: Arc<[usize]>,
}

impl<D: Dataset> Subset<D> {
    /// Creates the subset of the samples at `indices`, in that order. An index may occur more than once.
    ///
    /// # Errors
    /// [`DataError::SubsetIndex`] if an index is out of range.
    pub fn new(dataset: D, indices: Vec<usize>) -> Result<Self, DataError> {
        let dataset_len = dataset.len();
        match indices.iter().find(|&&index| index >= dataset_len) {
            Some(&index) => Err(DataError::SubsetIndex { index, dataset_len }),
            None => Ok(Self { dataset, indices: indices.into() }),
        }
    }

    /// The indices of the samples in the underlying dataset.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    fn of_dataset(&self, indices: &[usize]) -> Vec<usize> {
        indices.iter().map(|&index| self.indices[index]).collect()
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Sample = D::Sample;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get_item(&self, index: usize) -> anyhow::Result<D::Sample> {
        self.dataset.get_item(self.indices[index])
    }

    fn get_items(&self, indices: &[usize]) -> anyhow::Result<<D::Sample as Collate>::Batch>
    where
        D::Sample: Collate,
    {
        self.dataset.get_items(&self.of_dataset(indices))
    }

    fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<<D::Sample as Collate>::Batch>>
    where
        D::Sample: Collate,
    {
        let of_dataset: Vec<Vec<usize>> = batches.iter().map(|indices| self.of_dataset(indices)).collect();
        let of_dataset: Vec<&[usize]> = of_dataset.iter().map(Vec::as_slice).collect();
        self.dataset.get_batches(&of_dataset)
    }

    fn samples_at_once(&self) -> usize {
        self.dataset.samples_at_once()
    }
}

/// The parts of a [`random_split`]: their lengths as a list of `usize`, or the fractions of the samples as one of `f64`. A list whose length the
/// compiler knows, such as `[0.8, 0.2]`, gives an array of parts, and a slice gives a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell the parts of a split",
    label = "write lengths, as in `[800, 200]`, or fractions, as in `[0.8, 0.2]`"
)]
pub trait SplitParts {
    /// The parts.
    type Of<T>;

    /// Makes each part from its length.
    ///
    /// # Errors
    /// Those of [`random_split`].
    fn split<T>(self, dataset_len: usize, part: impl FnMut(usize) -> T) -> Result<Self::Of<T>, DataError>;
}

impl<const N: usize> SplitParts for [usize; N] {
    type Of<T> = [T; N];

    fn split<T>(self, dataset_len: usize, part: impl FnMut(usize) -> T) -> Result<[T; N], DataError> {
        check_sum(&self, dataset_len)?;
        Ok(self.map(part))
    }
}

impl<const N: usize> SplitParts for [f64; N] {
    type Of<T> = [T; N];

    fn split<T>(self, dataset_len: usize, part: impl FnMut(usize) -> T) -> Result<[T; N], DataError> {
        let mut lengths = [0; N];
        set_lengths(&mut lengths, &self, dataset_len)?;
        Ok(lengths.map(part))
    }
}

impl<T: Copy, const N: usize> SplitParts for &[T; N]
where
    [T; N]: SplitParts,
{
    type Of<Part> = <[T; N] as SplitParts>::Of<Part>;

    fn split<Part>(self, dataset_len: usize, part: impl FnMut(usize) -> Part) -> Result<Self::Of<Part>, DataError> {
        (*self).split(dataset_len, part)
    }
}

impl SplitParts for &[usize] {
    type Of<T> = Vec<T>;

    fn split<T>(self, dataset_len: usize, part: impl FnMut(usize) -> T) -> Result<Vec<T>, DataError> {
        check_sum(self, dataset_len)?;
        Ok(self.iter().copied().map(part).collect())
    }
}

impl SplitParts for &[f64] {
    type Of<T> = Vec<T>;

    fn split<T>(self, dataset_len: usize, part: impl FnMut(usize) -> T) -> Result<Vec<T>, DataError> {
        let mut lengths = vec![0; self.len()];
        set_lengths(&mut lengths, self, dataset_len)?;
        Ok(lengths.into_iter().map(part).collect())
    }
}

fn check_sum(lengths: &[usize], dataset_len: usize) -> Result<(), DataError> {
    let sum = lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length));
    if sum == Some(dataset_len) {
        return Ok(());
    }
    Err(DataError::SplitLengths { lengths: lengths.to_vec(), dataset_len })
}

/// Sets the lengths that PyTorch gives parts of these fractions: `⌊fraction · len⌋`, and those left over go one by one to the parts from the
/// first on.
fn set_lengths(lengths: &mut [usize], fractions: &[f64], dataset_len: usize) -> Result<(), DataError> {
    let is_one = (fractions.iter().sum::<f64>() - 1.0).abs() <= 1e-9;
    if !is_one || !fractions.iter().all(|fraction| (0.0..=1.0).contains(fraction)) {
        return Err(DataError::SplitFractions { fractions: fractions.to_vec() });
    }
    for (length, fraction) in lengths.iter_mut().zip(fractions) {
        *length = (fraction * dataset_len as f64).floor() as usize;
    }
    let left_over = dataset_len.saturating_sub(lengths.iter().sum());
    for part in (0..lengths.len()).cycle().take(left_over) {
        lengths[part] += 1;
    }
    Ok(())
}

/// Splits `dataset` at random into parts of the given lengths, or of fractions that add up to 1: PyTorch's
/// [`random_split`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.random_split).
///
/// The same `seed` yields the same parts on every platform. Each part has a clone of the dataset. The clone of a
/// [`TensorDataset`](super::TensorDataset) shares the tensors; if the clone of your dataset is a copy, wrap it in an
/// [`Arc`].
///
/// As in PyTorch, a part of a fraction gets `⌊fraction · len⌋` samples, and those left over go one by one to the parts from the first on.
///
/// ```
/// use tch_lightning::data::{Dataset, random_split};
///
/// let numbers: Vec<i64> = (0..10).collect();
/// let [train, val] = random_split(numbers.clone(), [7, 3], 42)?;
/// assert_eq!([train.len(), val.len()], [7, 3]);
/// let [train, val] = random_split(numbers, [0.75, 0.25], 42)?;
/// assert_eq!([train.len(), val.len()], [8, 2]);
/// # Ok::<(), tch_lightning::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::SplitLengths`] if the lengths do not add up to the dataset's, and [`DataError::SplitFractions`] if a fraction is not between
/// 0 and 1, or if they do not add up to 1 (to within 1e-9).
pub fn random_split<D: Dataset + Clone, P: SplitParts>(
    dataset: D,
    parts: P,
    seed: u64,
) -> Result<P::Of<Subset<D>>, DataError> {
    let dataset_len = dataset.len();
    let mut order = permutation(dataset_len, seed, SPLIT_STREAM).into_iter();
    parts.split(dataset_len, |length| Subset {
        dataset: dataset.clone(),
        indices: order.by_ref().take(length).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: i64) -> Vec<i64> {
        (0..len).collect()
    }

    fn lengths(parts: &[Subset<Vec<i64>>]) -> Vec<usize> {
        parts.iter().map(Subset::len).collect()
    }

    #[test]
    fn random_split_assigns_every_sample_once() {
        let parts = random_split(numbers(100), &[70, 20, 10], 42).unwrap();
        assert_eq!(lengths(&parts), [70, 20, 10]);
        let mut dealt: Vec<usize> = parts.iter().flat_map(|part| part.indices().to_vec()).collect();
        assert_ne!(dealt, (0..100).collect::<Vec<_>>());
        dealt.sort_unstable();
        assert_eq!(dealt, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn random_split_depends_on_the_seed() {
        let first = |seed| random_split(numbers(50), [25, 25], seed).unwrap()[0].indices().to_vec();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn random_split_rejects_lengths_that_do_not_add_up() {
        assert_eq!(
            random_split(numbers(10), &[7, 2], 0).err().unwrap().to_string(),
            "the lengths of a split must add up to the 10 samples of the dataset, but [7, 2] add up to 9"
        );
        assert!(random_split(numbers(10), &[usize::MAX, 11], 0).is_err());
    }

    /// The lengths are those of PyTorch's `random_split(range(n), fractions)`.
    #[test]
    fn fractions_assign_every_sample() {
        let dealt = |len, fractions: &[f64]| lengths(&random_split(numbers(len), fractions, 0).unwrap());
        assert_eq!(dealt(10, &[0.3, 0.7]), [3, 7]);
        assert_eq!(dealt(30, &[0.3, 0.3, 0.4]), [9, 9, 12]);
        assert_eq!(dealt(5, &[0.25, 0.25, 0.5]), [2, 1, 2]);
        assert_eq!(dealt(11, &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]), [4, 4, 3]);
        assert_eq!(dealt(3, &[0.25, 0.25, 0.25, 0.25]), [1, 1, 1, 0]);
        let [first, second] = random_split(numbers(5), &[0.5, 0.5], 0).unwrap();
        assert_eq!((first.len(), second.len()), (3, 2));
    }

    #[test]
    fn fractions_that_do_not_add_up_are_rejected() {
        let said = |fractions: &[f64]| random_split(numbers(10), fractions, 0).err().map(|error| error.to_string());
        assert_eq!(
            said(&[0.5, 0.4]).unwrap(),
            "the fractions of a split must lie between 0 and 1 and add up to 1, but they are [0.5, 0.4]"
        );
        assert!(said(&[1.5, -0.5]).is_some());
        assert!(said(&[f64::NAN]).is_some());
        assert!(said(&[]).is_some());
    }

    #[test]
    fn subset_rejects_an_index_out_of_range() {
        assert_eq!(
            Subset::new(numbers(3), vec![0, 3]).err().unwrap().to_string(),
            "index 3 of a Subset is out of range for a dataset of 3 samples"
        );
        let subset = Subset::new(numbers(3), vec![2, 2, 0]).unwrap();
        let batch = subset.get_items(&[0, 1, 2]).unwrap();
        assert_eq!(Vec::<i64>::try_from(batch).unwrap(), [2, 2, 0]);
    }
}
