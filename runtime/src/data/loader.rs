//! Batches of a dataset, epoch by epoch.

use std::fmt;

use super::order::permutation;
use super::{Batch, Collate, DataError, Dataset};
use crate::panic;

/// Deals the samples of a [`Dataset`] in batches, as PyTorch's
/// [`DataLoader`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader).
///
/// The order of an epoch depends on the seed and the epoch's number alone, on every platform: a resumed
/// run can start anywhere. Shuffling is a Fisher–Yates shuffle with ChaCha8, seeded with the seed, on the
/// stream numbered as the epoch.
///
/// Batches are read on the thread that asks for them.
///
/// ```
/// use tch_lightning::data::DataLoader;
///
/// let loader = DataLoader::new(vec![1_i64, 2, 3, 4, 5]).batch_size(2);
/// assert_eq!((loader.len(), loader.dataset_len()), (3, 5));
///
/// let batches = loader.epoch(0)?.map(|batch| Ok(Vec::<i64>::try_from(batch?)?));
/// assert_eq!(batches.collect::<anyhow::Result<Vec<_>>>()?, [vec![1, 2], vec![3, 4], vec![5]]);
/// # Ok::<(), anyhow::Error>(())
/// ```
pub struct DataLoader<B> {
    get_items: Box<GetItems<B>>,
    dataset_len: usize,
    batch_size: usize,
    shuffle: bool,
    seed: u64,
    drop_last: bool,
}

/// All that is left of a dataset whose type the loader does not name.
type GetItems<B> = dyn Fn(&[usize]) -> anyhow::Result<B>;

impl<B: Batch> DataLoader<B> {
    /// A loader of single samples in the dataset's order.
    pub fn new<D>(dataset: D) -> Self
    where
        D: Dataset + 'static,
        D::Sample: Collate<Batch = B>,
    {
        Self {
            dataset_len: dataset.len(),
            get_items: Box::new(move |indices| dataset.get_items(indices)),
            batch_size: 1,
            shuffle: false,
            seed: 0,
            drop_last: false,
        }
    }

    /// How many samples a batch has; 1 by default. 0 is refused when an epoch starts.
    pub fn batch_size(self, batch_size: usize) -> Self {
        Self { batch_size, ..self }
    }

    /// Whether each epoch has an order of its own; `false` by default, the dataset's order.
    pub fn shuffle(self, shuffle: bool) -> Self {
        Self { shuffle, ..self }
    }

    /// What decides the orders of a loader that shuffles; 0 by default.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Whether a last batch of fewer samples than the others is left out; `false` by default.
    pub fn drop_last(self, drop_last: bool) -> Self {
        Self { drop_last, ..self }
    }

    /// The number of batches in an epoch.
    pub fn len(&self) -> usize {
        match self.batch_size {
            0 => 0,
            size if self.drop_last => self.dataset_len / size,
            size => self.dataset_len.div_ceil(size),
        }
    }

    /// Whether an epoch would have no batch; [`epoch`](DataLoader::epoch) says why.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of samples in the dataset.
    pub fn dataset_len(&self) -> usize {
        self.dataset_len
    }

    /// The batches of an epoch, in an order that the seed and `epoch` alone decide.
    ///
    /// ```
    /// use tch_lightning::data::DataLoader;
    ///
    /// let loader = DataLoader::new((0..100_i64).collect::<Vec<_>>()).batch_size(10).shuffle(true);
    /// let read = |epoch| loader.epoch(epoch)?.collect::<Result<Vec<_>, _>>();
    /// assert_eq!(read(3)?, read(3)?);
    /// assert_ne!(read(3)?, read(4)?);
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::ZeroBatchSize`], [`DataError::EmptyDataset`] or [`DataError::NoFullBatch`] if there
    /// is no batch to be had.
    pub fn epoch(&self, epoch: u64) -> Result<Batches<'_, B>, DataError> {
        let Self { dataset_len, batch_size, .. } = *self;
        if batch_size == 0 {
            return Err(DataError::ZeroBatchSize);
        }
        if dataset_len == 0 {
            return Err(DataError::EmptyDataset);
        }
        if self.is_empty() {
            return Err(DataError::NoFullBatch { dataset_len, batch_size });
        }
        let order = if self.shuffle { permutation(dataset_len, self.seed, epoch) } else { (0..dataset_len).collect() };
        Ok(Batches { loader: self, order, batch_idx: 0 })
    }

    fn read(&self, batch_idx: usize, indices: &[usize]) -> Result<B, DataError> {
        panic::catch(|| (self.get_items)(indices)).map_err(|error| {
            // A dataset that knows which sample it was has said so already.
            error.downcast().unwrap_or_else(|source| DataError::Batch { batch_idx, source })
        })
    }
}

impl<B> fmt::Debug for DataLoader<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DataLoader")
            .field("dataset_len", &self.dataset_len)
            .field("batch_size", &self.batch_size)
            .field("shuffle", &self.shuffle)
            .field("seed", &self.seed)
            .field("drop_last", &self.drop_last)
            .finish_non_exhaustive()
    }
}

/// The batches of one epoch: what [`DataLoader::epoch`] answers.
///
/// A batch that can't be read is an error in its place ([`DataError::Sample`] or [`DataError::Batch`]);
/// the batches after it can still be read.
pub struct Batches<'a, B> {
    loader: &'a DataLoader<B>,
    order: Vec<usize>,
    batch_idx: usize,
}

impl<B: Batch> Batches<'_, B> {
    /// Goes on with batch `batch_idx` of the epoch, counted from 0, without reading those between; past
    /// the last one, with none.
    ///
    /// ```
    /// use tch_lightning::data::DataLoader;
    ///
    /// let loader = DataLoader::new(vec![1_i64, 2, 3]);
    /// let third = loader.epoch(0)?.skip_to(2).next().unwrap()?;
    /// assert_eq!(third.int64_value(&[0]), 3);
    /// # Ok::<(), tch_lightning::data::DataError>(())
    /// ```
    pub fn skip_to(self, batch_idx: usize) -> Self {
        Self { batch_idx: batch_idx.min(self.loader.len()), ..self }
    }

    /// The dataset's indices of the samples in batch `batch_idx`; empty past the last batch.
    pub fn indices(&self, batch_idx: usize) -> &[usize] {
        if batch_idx >= self.loader.len() {
            return &[];
        }
        let from = &self.order[batch_idx * self.loader.batch_size..];
        &from[..from.len().min(self.loader.batch_size)]
    }
}

impl<B: Batch> Iterator for Batches<'_, B> {
    type Item = Result<B, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch_idx = self.batch_idx;
        if batch_idx == self.loader.len() {
            return None;
        }
        self.batch_idx += 1;
        Some(self.loader.read(batch_idx, self.indices(batch_idx)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.loader.len() - self.batch_idx;
        (left, Some(left))
    }
}

impl<B: Batch> ExactSizeIterator for Batches<'_, B> {}

impl<B: Batch> std::iter::FusedIterator for Batches<'_, B> {}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Tensor;

    fn loader(len: i64) -> DataLoader<Tensor> {
        DataLoader::new((0..len).collect::<Vec<_>>())
    }

    fn read(batches: Batches<'_, Tensor>) -> Vec<Vec<i64>> {
        batches.map(|batch| Vec::try_from(batch.unwrap()).unwrap()).collect()
    }

    #[test]
    fn a_loader_deals_single_samples_in_order_by_default() {
        let loader = loader(3);
        assert_eq!((loader.len(), loader.dataset_len()), (3, 3));
        assert_eq!(read(loader.epoch(0).unwrap()), [[0], [1], [2]]);
    }

    #[test]
    fn the_last_batch_is_shorter_or_dropped() {
        let kept = loader(5).batch_size(2);
        assert_eq!(kept.len(), 3);
        assert_eq!(read(kept.epoch(0).unwrap()), [vec![0, 1], vec![2, 3], vec![4]]);
        let dropped = loader(5).batch_size(2).drop_last(true);
        assert_eq!(dropped.len(), 2);
        assert_eq!(read(dropped.epoch(0).unwrap()), [[0, 1], [2, 3]]);
        let larger = loader(5).batch_size(usize::MAX);
        assert_eq!(read(larger.epoch(0).unwrap()), [[0, 1, 2, 3, 4]]);
    }

    #[test]
    fn the_seed_and_the_epoch_decide_the_order() {
        let order =
            |seed, epoch| read(loader(64).batch_size(7).shuffle(true).seed(seed).epoch(epoch).unwrap()).concat();
        assert_eq!(order(0, 3), order(0, 3));
        assert_ne!(order(0, 3), order(0, 4));
        assert_ne!(order(0, 3), order(1, 3));
        let mut dealt = order(0, 3);
        dealt.sort_unstable();
        assert_eq!(dealt, (0..64).collect::<Vec<_>>());
    }

    #[test]
    fn the_order_does_not_depend_on_how_it_is_cut() {
        let shuffled = |batch_size| loader(20).batch_size(batch_size).shuffle(true).drop_last(true);
        let whole = read(shuffled(20).epoch(1).unwrap()).concat();
        let cut = read(shuffled(6).epoch(1).unwrap()).concat();
        assert_eq!(cut, whole[..18]);
    }

    #[test]
    fn a_resumed_epoch_goes_on_where_it_was() {
        let loader = loader(10).batch_size(3).shuffle(true);
        let all = read(loader.epoch(2).unwrap());
        let resumed = loader.epoch(2).unwrap().skip_to(2);
        assert_eq!(resumed.len(), 2);
        assert_eq!(read(resumed), all[2..]);
        let mut past = loader.epoch(2).unwrap().skip_to(99);
        assert_eq!(past.len(), 0);
        assert!(past.next().is_none());
    }

    #[test]
    fn the_samples_of_a_batch_are_known() {
        let loader = loader(5).batch_size(2).shuffle(true);
        let batches = loader.epoch(0).unwrap();
        let known = [0, 1, 2, 3].map(|batch_idx| batches.indices(batch_idx).to_vec());
        let dealt = read(batches);
        assert_eq!(known[..3].concat(), dealt.concat().iter().map(|&i| i as usize).collect::<Vec<_>>());
        assert!(known[3].is_empty());
    }

    #[test]
    fn a_loader_without_batches_is_refused_when_the_epoch_starts() {
        let said = |loader: DataLoader<Tensor>| loader.epoch(0).err().unwrap().to_string();
        assert_eq!(said(loader(5).batch_size(0)), "a DataLoader's batch_size is 0; it must be at least 1");
        assert_eq!(said(loader(0)), "a DataLoader's dataset is empty; it must have at least one sample");
        assert_eq!(
            said(loader(5).batch_size(8).drop_last(true)),
            "a DataLoader has no batch: drop_last(true) drops the incomplete one, and 5 samples do not \
             fill a batch_size of 8"
        );
        assert_eq!(loader(5).batch_size(0).len(), 0);
    }

    /// Knows the sample that fails, knows only that a batch fails, panics.
    struct Faulty;

    impl Dataset for Faulty {
        type Sample = i64;

        fn len(&self) -> usize {
            5
        }

        fn get_item(&self, index: usize) -> anyhow::Result<i64> {
            Ok(index as i64)
        }

        fn get_items(&self, indices: &[usize]) -> anyhow::Result<Tensor> {
            match indices[0] {
                index @ 1 => Err(DataError::Sample { index, source: anyhow::anyhow!("the file is cut short") })?,
                2 => anyhow::bail!("the archive is cut short"),
                3 => panic!("the archive is gone"),
                index => Ok(Tensor::from_slice(&[index as i64])),
            }
        }
    }

    #[test]
    fn a_faulty_batch_is_named_and_the_epoch_goes_on() {
        let said = |batch: Result<Tensor, DataError>| match batch {
            Ok(batch) => batch.int64_value(&[0]).to_string(),
            Err(error) => without_place(&format!("{:#}", anyhow::Error::from(error))),
        };
        assert_eq!(
            DataLoader::new(Faulty).epoch(0).unwrap().map(said).collect::<Vec<_>>(),
            [
                "0",
                "sample 1 of the dataset could not be read: the file is cut short",
                "batch 2 could not be put together: the archive is cut short",
                "batch 3 could not be put together: the archive is gone",
                "4",
            ]
        );
    }

    /// What was said before the place of a panic.
    fn without_place(said: &str) -> String {
        said.split(" (panicked at").next().unwrap_or(said).to_owned()
    }
}
