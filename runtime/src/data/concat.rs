//! The concatenation of several datasets.

use super::{DataError, Dataset};

/// The concatenation of several datasets: PyTorch's
/// [`ConcatDataset`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset). Datasets of
/// different types can be combined as `Box<dyn Dataset<Sample = …>>`.
///
/// ```
/// use tch_lightning::data::{ConcatDataset, Dataset};
///
/// let both = ConcatDataset::new(vec![vec![10_i64, 11], vec![20, 21, 22]]);
/// assert_eq!(both.len(), 5);
/// assert_eq!(both.get_item(3)?, 21);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConcatDataset<D> {
    datasets: Vec<D>,
    /// The index after the last sample of each dataset.
    ends: Vec<usize>,
}

impl<D: Dataset> ConcatDataset<D> {
    /// Creates a dataset of the samples of the first dataset, then those of the second, and so on.
    pub fn new(datasets: Vec<D>) -> Self {
        let ends = datasets.iter().scan(0, |end, dataset| {
            *end += dataset.len();
            Some(*end)
        });
        Self { ends: ends.collect(), datasets }
    }
}

impl<D: Dataset> Dataset for ConcatDataset<D> {
    type Sample = D::Sample;

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn get_item(&self, index: usize) -> anyhow::Result<D::Sample> {
        let position = self.ends.partition_point(|&end| end <= index);
        let Some(dataset) = self.datasets.get(position) else {
            return Err(DataError::ConcatIndex { index, dataset_len: self.len() }.into());
        };
        let start = if position == 0 { 0 } else { self.ends[position - 1] };
        dataset.get_item(index - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concatenated_datasets_have_consecutive_indices() {
        let datasets: Vec<Box<dyn Dataset<Sample = i64>>> =
            vec![Box::new(vec![0_i64, 1]), Box::new(Vec::<i64>::new()), Box::new(vec![2_i64, 3, 4])];
        let all = ConcatDataset::new(datasets);
        assert_eq!(all.len(), 5);
        let batch = all.get_items(&[4, 0, 2, 1, 3]).unwrap();
        assert_eq!(Vec::<i64>::try_from(batch).unwrap(), [4, 0, 2, 1, 3]);
        assert_eq!(
            all.get_item(5).unwrap_err().to_string(),
            "index 5 is out of range for a ConcatDataset of 5 samples"
        );
        assert!(ConcatDataset::new(Vec::<Vec<i64>>::new()).is_empty());
    }
}
