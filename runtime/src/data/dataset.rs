//! Map-style datasets: collections of samples with an index.

use std::rc::Rc;
use std::sync::Arc;

use super::current_item::{self, Item};
use super::{Batch, Collate, CollateWith, DataError, draws};
use crate::panic;

/// A collection of samples, each with an index: PyTorch's map-style
/// [`Dataset`](https://docs.pytorch.org/docs/stable/data.html#map-style-datasets).
///
/// A `Vec` of samples that are [`Clone`] is a dataset; for tensors, use [`TensorDataset`](super::TensorDataset).
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
    /// The type of one sample, for instance an image and its label. A loader joins samples by [`Collate`], or by the
    /// function given to [`collate_with`](Dataset::collate_with).
    type Sample;

    /// The number of samples. It must not change while a loader holds the dataset.
    fn len(&self) -> usize;

    /// Returns the sample at `index`, which is less than [`len`](Dataset::len); otherwise it may fail or panic.
    ///
    /// # Errors
    /// Any error of your own; a loader adds the index to it.
    fn get_item(&self, index: usize) -> anyhow::Result<Self::Sample>;

    /// Whether the dataset has no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the batch of the samples at `indices`, in that order.
    ///
    /// The default reads each by [`get_item`](Dataset::get_item) and collates them. Override it if reading many samples
    /// at once is faster than one by one: PyTorch's `__getitems__`.
    ///
    /// # Errors
    /// By default [`DataError::Sample`] for an error or a panic of `get_item`, and any error of
    /// [`Collate::collate`].
    fn get_items(&self, indices: &[usize]) -> anyhow::Result<<Self::Sample as Collate>::Batch>
    where
        Self::Sample: Collate,
    {
        Ok(Collate::collate(read_each(self, indices)?)?)
    }

    /// Returns one batch for each list of indices, in that order.
    ///
    /// The default reads each by [`get_items`](Dataset::get_items). Override it, together with
    /// [`samples_at_once`](Dataset::samples_at_once), if it pays to read several batches at once.
    ///
    /// # Errors
    /// By default those of `get_items`. After an error a loader reads each of the batches separately, so that only the
    /// batch at fault fails.
    fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<<Self::Sample as Collate>::Batch>>
    where
        Self::Sample: Collate,
    {
        batches.iter().map(|indices| self.get_items(indices)).collect()
    }

    /// The largest number of samples that a loader reads at once, as several batches. With 0, the default, each batch is
    /// read separately, when it is requested.
    fn samples_at_once(&self) -> usize {
        0
    }

    /// Joins the samples of this dataset by `collate`, in place of [`Collate`]: PyTorch's `collate_fn`. The batch may have
    /// any type.
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

/// Reads the samples at `indices`, each with its own random numbers. An error or a panic names the sample. Afterwards the
/// generator is seeded for the collate function.
pub(super) fn read_each<D: Dataset + ?Sized>(dataset: &D, indices: &[usize]) -> Result<Vec<D::Sample>, DataError> {
    let mut samples = Vec::with_capacity(indices.len());
    let outcome = indices.iter().try_for_each(|&index| {
        current_item::begin(Item::Sample(index));
        let sample = draws::sample(|| panic::catch(|| dataset.get_item(index)));
        samples.push(sample.map_err(|source| DataError::Sample { index, source })?);
        Ok(())
    });
    draws::collate();
    outcome.map(|()| samples)
}

/// A sample of which a `Vec` is a dataset.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Vec` of `{Self}` is not a dataset, as its samples cannot be cloned",
    label = "tensors cannot be cloned",
    note = "for tensors, write `TensorDataset::new((images, labels))?`; arrays and lists of numbers, such as `([f32; 32], i64)`, are samples \
            too; for samples of your own, add `#[derive(Clone)]` or implement `Dataset`"
)]
pub trait ClonedSample: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> ClonedSample for T {}

impl<T: ClonedSample> Dataset for Vec<T> {
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

/// Never implemented: for the error about a dataset in a `Result`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this dataset is in a `Result`: making it may have failed",
    label = "write `?` after it, as in `DataLoader::new(TensorDataset::new(rows)?)`"
)]
pub trait WithoutResult<E> {}

impl<D: Dataset + WithoutResult<E>, E> Dataset for Result<D, E> {
    type Sample = D::Sample;

    fn len(&self) -> usize {
        0
    }

    fn get_item(&self, _: usize) -> anyhow::Result<Self::Sample> {
        anyhow::bail!("a dataset in a `Result`")
    }
}

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

    fn message(error: anyhow::Error) -> String {
        format!("{error:#}")
    }

    #[test]
    fn sample_that_fails_or_panics_is_named() {
        assert_eq!(
            message(Faulty.get_items(&[0, 1]).unwrap_err()),
            "sample 1 of the dataset could not be read: the file is cut short"
        );
        let panicked = message(Faulty.get_items(&[2]).unwrap_err());
        let without_location = panicked.split(" (panicked at").next();
        assert_eq!(without_location, Some("sample 2 of the dataset could not be read: the file is gone"));
    }

    #[test]
    fn vec_of_samples_is_a_dataset() {
        let dataset = vec![(1.0_f32, 10_i64), (2.0, 20), (3.0, 30)];
        let (x, y) = dataset.get_items(&[2, 0]).unwrap();
        assert_eq!(Vec::<f32>::try_from(x).unwrap(), [3.0, 1.0]);
        assert_eq!(Vec::<i64>::try_from(y).unwrap(), [30, 10]);
    }

    #[test]
    fn pointer_to_a_dataset_is_a_dataset() {
        let shared: Arc<dyn Dataset<Sample = f32>> = Arc::new(vec![1.0_f32, 2.0]);
        assert_eq!((shared.len(), shared.is_empty()), (2, false));
        assert_eq!(shared.get_item(1).unwrap(), 2.0);
        assert_eq!(Rc::new(vec![1_i64]).get_item(0).unwrap(), 1);
        assert!(Dataset::is_empty(&Box::new(Vec::<f32>::new())));
    }
}
