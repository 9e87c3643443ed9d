//! Where samples come from.

use std::rc::Rc;
use std::sync::Arc;

use super::reading_now::{self, Item};
use super::{Batch, Collate, CollateWith, DataError, draws};
use crate::panic;

/// A collection of samples, each with an index: PyTorch's map-style
/// [`Dataset`](https://docs.pytorch.org/docs/stable/data.html#map-style-datasets).
///
/// A `Vec` of samples that can be cloned is a dataset; tensors have
/// [`TensorDataset`](super::TensorDataset).
///
/// ```
/// use tch_lightning::data::{DataLoader, Dataset};
///
/// struct Squares;
///
/// impl Dataset for Squares {
///     type Sample = (f32, f32);
///
///     fn len(&self) -> usize {
///         100
///     }
///
///     fn get_item(&self, index: usize) -> anyhow::Result<(f32, f32)> {
///         let x = index as f32;
///         Ok((x, x * x))
///     }
/// }
///
/// let loader = DataLoader::new(Squares).batch_size(4);
/// let (x, y) = loader.epoch(0)?.next().unwrap()?;
/// assert_eq!(Vec::<f32>::try_from(x)?, [0.0, 1.0, 2.0, 3.0]);
/// assert_eq!(Vec::<f32>::try_from(y)?, [0.0, 1.0, 4.0, 9.0]);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dataset",
    label = "not a dataset",
    note = "implement `Dataset` for it (`len` and `get_item`), or use `TensorDataset` or a `Vec` of samples"
)]
pub trait Dataset {
    /// One sample, for instance an image and its label. A loader joins samples by [`Collate`], or as
    /// [`collate_with`](Dataset::collate_with) says.
    type Sample;

    /// The number of samples. It must not change while a loader holds the dataset.
    fn len(&self) -> usize;

    /// The sample at `index`, from 0 to less than [`len`](Dataset::len); beyond that, an error or a panic.
    ///
    /// # Errors
    /// Any error of yours, passed on with `?`; a loader adds the index to it.
    fn get_item(&self, index: usize) -> anyhow::Result<Self::Sample>;

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples at `indices`, joined into a batch in that order.
    ///
    /// By default each is read by [`get_item`](Dataset::get_item) and all are collated. Override it where many
    /// samples are read at once faster than one by one, as PyTorch's `__getitems__`.
    ///
    /// # Errors
    /// By default [`DataError::Sample`] for an error or a panic of `get_item`, and what [`Collate::collate`]
    /// says.
    fn get_items(&self, indices: &[usize]) -> anyhow::Result<<Self::Sample as Collate>::Batch>
    where
        Self::Sample: Collate,
    {
        Ok(Collate::collate(read_each(self, indices)?)?)
    }

    /// The batches of the samples at each of these lists of indices, in that order.
    ///
    /// By default each is read by [`get_items`](Dataset::get_items). Override it, with
    /// [`samples_at_once`](Dataset::samples_at_once), where it pays to read several batches together.
    ///
    /// # Errors
    /// By default those of `get_items`. A loader then reads each batch alone, so that the error is that of its batch.
    fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<<Self::Sample as Collate>::Batch>>
    where
        Self::Sample: Collate,
    {
        batches.iter().map(|indices| self.get_items(indices)).collect()
    }

    /// How many samples at most a loader reads together, as several batches; with 0, the default, each batch is read
    /// alone, when it is asked for.
    fn samples_at_once(&self) -> usize {
        0
    }

    /// This dataset with a way of its own to join samples into batches, in place of [`Collate`]: PyTorch's
    /// `collate_fn`. The batch may be of any type.
    ///
    /// ```
    /// use tch_lightning::data::{DataLoader, Dataset};
    /// use tch_lightning::prelude::*;
    ///
    /// // sentences of different lengths, filled up with zeros
    /// let sentences = vec![Tensor::from_slice(&[1_i64, 2, 3]), Tensor::from_slice(&[4_i64])];
    /// # struct Sentences(Vec<Tensor>);
    /// # impl Dataset for Sentences {
    /// #     type Sample = Tensor;
    /// #     fn len(&self) -> usize { self.0.len() }
    /// #     fn get_item(&self, index: usize) -> Result<Tensor> { Ok(self.0[index].shallow_clone()) }
    /// # }
    /// # let sentences = Sentences(sentences);
    /// let padded = sentences.collate_with(|sentences: Vec<Tensor>| {
    ///     let lengths: Vec<i64> = sentences.iter().map(|sentence| sentence.size()[0]).collect();
    ///     Ok((Tensor::f_pad_sequence(&sentences, true, 0.0, "right")?, Tensor::f_from_slice(&lengths)?))
    /// });
    /// let (tokens, lengths) = DataLoader::new(padded).batch_size(2).epoch(0)?.next().unwrap()?;
    /// assert_eq!(tokens, Tensor::from_slice2(&[[1_i64, 2, 3], [4, 0, 0]]));
    /// assert_eq!(lengths, Tensor::from_slice(&[3_i64, 1]));
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    fn collate_with<F, B>(self, collate: F) -> CollateWith<Self, F>
    where
        Self: Sized,
        F: Fn(Vec<Self::Sample>) -> anyhow::Result<B>,
        B: Batch,
    {
        CollateWith::new(self, collate)
    }
}

/// The samples at `indices`, each with its own random numbers; what fails or panics is the error of that sample. What follows
/// has those of the batch.
pub(super) fn read_each<D: Dataset + ?Sized>(dataset: &D, indices: &[usize]) -> Result<Vec<D::Sample>, DataError> {
    let read = |&index| {
        reading_now::begin(Item::Sample(index));
        let sample = draws::sample(|| panic::catch(|| dataset.get_item(index)));
        sample.map_err(|source| DataError::Sample { index, source })
    };
    let samples = indices.iter().map(read).collect();
    draws::collate();
    samples
}

impl<T: Clone> Dataset for Vec<T> {
    type Sample = T;

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn get_item(&self, index: usize) -> anyhow::Result<T> {
        Ok(self[index].clone())
    }
}

macro_rules! dataset_behind_pointer {
    ($($pointer:ident)+) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer<D> {
            type Sample = D::Sample;

            fn len(&self) -> usize {
                (**self).len()
            }

            fn get_item(&self, index: usize) -> anyhow::Result<Self::Sample> {
                (**self).get_item(index)
            }

            fn get_items(&self, indices: &[usize]) -> anyhow::Result<<Self::Sample as Collate>::Batch>
            where
                Self::Sample: Collate,
            {
                (**self).get_items(indices)
            }

            fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<<Self::Sample as Collate>::Batch>>
            where
                Self::Sample: Collate,
            {
                (**self).get_batches(batches)
            }

            fn samples_at_once(&self) -> usize {
                (**self).samples_at_once()
            }
        }
    )+};
}

dataset_behind_pointer!(Arc Box Rc);

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails at 1, panics at 2.
    struct Faulty;

    impl Dataset for Faulty {
        type Sample = f32;

        fn len(&self) -> usize {
            3
        }

        fn get_item(&self, index: usize) -> anyhow::Result<f32> {
            match index {
                1 => anyhow::bail!("the file is cut short"),
                2 => panic!("the file is gone"),
                _ => Ok(index as f32),
            }
        }
    }

    fn said(error: anyhow::Error) -> String {
        format!("{error:#}")
    }

    #[test]
    fn the_sample_that_fails_or_panics_is_named() {
        assert_eq!(
            said(Faulty.get_items(&[0, 1]).unwrap_err()),
            "sample 1 of the dataset could not be read: the file is cut short"
        );
        let panicked = said(Faulty.get_items(&[2]).unwrap_err());
        let without_place = panicked.split(" (panicked at").next();
        assert_eq!(without_place, Some("sample 2 of the dataset could not be read: the file is gone"));
    }

    #[test]
    fn a_list_of_samples_is_a_dataset() {
        let dataset = vec![(1.0_f32, 10_i64), (2.0, 20), (3.0, 30)];
        let (x, y) = dataset.get_items(&[2, 0]).unwrap();
        assert_eq!(Vec::<f32>::try_from(x).unwrap(), [3.0, 1.0]);
        assert_eq!(Vec::<i64>::try_from(y).unwrap(), [30, 10]);
    }

    #[test]
    fn a_pointer_to_a_dataset_is_a_dataset() {
        let shared: Arc<dyn Dataset<Sample = f32>> = Arc::new(vec![1.0_f32, 2.0]);
        assert_eq!((shared.len(), shared.is_empty()), (2, false));
        assert_eq!(shared.get_item(1).unwrap(), 2.0);
        assert_eq!(Rc::new(vec![1_i64]).get_item(0).unwrap(), 1);
        assert!(Dataset::is_empty(&Box::new(Vec::<f32>::new())));
    }
}
