//! Datasets of tensors.

use tch::{Device, TchError, Tensor};

use super::{Batch, Collate, DataError, Dataset};

/// A tensor or a tuple of up to eight tensors: the contents, the sample and the batch of a [`TensorDataset`].
///
/// This trait is sealed.
#[diagnostic::on_unimplemented(
    message = "a `TensorDataset` is made of tensors, not of `{Self}`",
    label = "write a `Tensor`, such as `Tensor::from_slice(&values)`, or a tuple of tensors",
    note = "a `Vec` of samples is a dataset by itself: `DataLoader::new(samples)`"
)]
pub trait TensorTuple: Batch + Collate<Batch = Self> + sealed::Sealed {
    /// Applies `map` to each tensor.
    ///
    /// # Errors
    /// The first error of `map`.
    fn map_each(&self, map: impl FnMut(&Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError>;

    /// Returns new handles to the same tensors.
    fn share(&self) -> Self;
}

mod sealed {
    /// Excludes tuples without a tensor, which would be datasets without a length.
    pub trait Sealed {}
}

/// Tensors with one sample in each row: PyTorch's
/// [`TensorDataset`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset).
///
/// A batch of consecutive samples is a view of the tensors, without a copy: an in-place operation on it (such as `add_`)
/// changes the dataset. Other batches are copies. A loader copies up to 1 MiB of samples by one `index_select` per tensor,
/// and its batches are slices of that copy.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::data::{Dataset, TensorDataset};
///
/// let images = Tensor::arange(6, (tch::Kind::Float, tch::Device::Cpu)).reshape([3, 2]);
/// let labels = Tensor::from_slice(&[7_i64, 8, 9]);
/// let dataset = TensorDataset::new((images, labels))?;
///
/// let (images, labels) = dataset.get_items(&[2, 0])?;
/// assert_eq!(images, Tensor::from_slice2(&[[4_f32, 5.0], [0.0, 1.0]]));
/// assert_eq!(Vec::<i64>::try_from(labels)?, [9, 7]);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct TensorDataset<T> {
    tensors: T,
    len: usize,
    device: Device,
    samples_at_once: usize,
}

/// The number of bytes copied at once: enough to amortize the cost of the call, and few enough for a cache.
const BYTES_AT_ONCE: usize = 1 << 20;

impl<T: TensorTuple> TensorDataset<T> {
    /// Creates a dataset of the rows of `tensors`, each of shape `[samples, …]`, all on the same device.
    ///
    /// # Errors
    /// [`DataError::ScalarTensor`], [`DataError::UnequalSizes`] or [`DataError::UnequalDevices`] if the tensors have
    /// other shapes or devices.
    pub fn new(tensors: T) -> Result<Self, DataError> {
        let mut sizes = Vec::new();
        let mut devices = Vec::new();
        tensors.visit_tensors(&mut |tensor| {
            sizes.push(tensor.size().first().copied());
            devices.push(tensor.device());
        });
        if let Some(position) = sizes.iter().position(Option::is_none) {
            return Err(DataError::ScalarTensor { position });
        }
        let sizes: Vec<i64> = sizes.into_iter().flatten().collect();
        let (len, device) = (sizes[0], devices[0]);
        if sizes.iter().any(|&size| size != len) {
            return Err(DataError::UnequalSizes { sizes });
        }
        if devices.iter().any(|&other| other != device) {
            return Err(DataError::UnequalDevices { devices });
        }
        let len = len as usize;
        let mut bytes = 0;
        tensors.visit_tensors(&mut |tensor| bytes += tensor.numel() * tensor.kind().elt_size_in_bytes());
        let bytes_of_sample = (bytes / len.max(1)).max(1);
        Ok(Self { tensors, len, device, samples_at_once: BYTES_AT_ONCE / bytes_of_sample })
    }

    /// The tensors, each of shape `[samples, …]`.
    pub fn tensors(&self) -> &T {
        &self.tensors
    }

    /// Returns a copy of the rows at `indices`.
    fn selected(&self, indices: impl Iterator<Item = usize>) -> Result<T, TchError> {
        let rows: Vec<i64> = indices.map(|index| index as i64).collect();
        let rows = Tensor::f_from_slice(&rows)?.f_to_device(self.device)?;
        self.tensors.map_each(|tensor| tensor.f_index_select(0, &rows))
    }
}

/// A clone shares the tensors.
impl<T: TensorTuple> Clone for TensorDataset<T> {
    fn clone(&self) -> Self {
        Self { tensors: self.tensors.share(), ..*self }
    }
}

impl<T: TensorTuple> Dataset for TensorDataset<T> {
    type Sample = T;

    fn len(&self) -> usize {
        self.len
    }

    fn get_item(&self, index: usize) -> anyhow::Result<T> {
        Ok(self.tensors.map_each(|tensor| tensor.f_select(0, index as i64))?)
    }

    fn get_items(&self, indices: &[usize]) -> anyhow::Result<T> {
        let batch = match consecutive_from(indices) {
            Some(start) => {
                let (start, length) = (start as i64, indices.len() as i64);
                self.tensors.map_each(|tensor| tensor.f_narrow(0, start, length))
            }
            None => self.selected(indices.iter().copied()),
        };
        Ok(batch?)
    }

    fn get_batches(&self, batches: &[&[usize]]) -> anyhow::Result<Vec<T>> {
        if batches.iter().all(|indices| consecutive_from(indices).is_some()) {
            return batches.iter().map(|indices| self.get_items(indices)).collect();
        }
        let all = self.selected(batches.iter().copied().flatten().copied())?;
        let mut start = 0;
        let cut = batches.iter().map(|indices| {
            let length = indices.len() as i64;
            let batch = all.map_each(|tensor| tensor.f_narrow(0, start, length))?;
            start += length;
            Ok(batch)
        });
        cut.collect()
    }

    fn samples_at_once(&self) -> usize {
        self.samples_at_once
    }
}

/// Returns the first of `indices` if they are consecutive.
fn consecutive_from(indices: &[usize]) -> Option<usize> {
    let consecutive = indices.windows(2).all(|pair| pair[1] == pair[0] + 1);
    indices.first().copied().filter(|_| consecutive)
}

impl sealed::Sealed for Tensor {}

impl TensorTuple for Tensor {
    fn map_each(&self, mut map: impl FnMut(&Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        map(self)
    }

    fn share(&self) -> Self {
        self.shallow_clone()
    }
}

macro_rules! tensor_tuple {
    ($($tensor:ident)+) => {
        impl sealed::Sealed for ($(replace_by_tensor!($tensor),)+) {}

        impl TensorTuple for ($(replace_by_tensor!($tensor),)+) {
            fn map_each(
                &self,
                mut map: impl FnMut(&Tensor) -> Result<Tensor, TchError>,
            ) -> Result<Self, TchError> {
                let ($($tensor,)+) = self;
                Ok(($(map($tensor)?,)+))
            }

            fn share(&self) -> Self {
                let ($($tensor,)+) = self;
                ($($tensor.shallow_clone(),)+)
            }
        }
    };
}

macro_rules! replace_by_tensor {
    ($name:ident) => {
        Tensor
    };
}

tensor_tuple!(a);
tensor_tuple!(a b);
tensor_tuple!(a b c);
tensor_tuple!(a b c d);
tensor_tuple!(a b c d e);
tensor_tuple!(a b c d e f);
tensor_tuple!(a b c d e f g);
tensor_tuple!(a b c d e f g h);

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    fn dataset() -> TensorDataset<(Tensor, Tensor)> {
        let rows = Tensor::arange(10, (Kind::Float, Device::Cpu)).reshape([5, 2]);
        TensorDataset::new((rows, Tensor::from_slice(&[10_i64, 11, 12, 13, 14]))).unwrap()
    }

    #[test]
    fn sample_is_a_row_of_each_tensor() {
        let (row, label) = dataset().get_item(3).unwrap();
        assert_eq!(Vec::<f32>::try_from(row).unwrap(), [6.0, 7.0]);
        assert_eq!((label.size(), label.int64_value(&[])), (vec![], 13));
    }

    #[test]
    fn consecutive_samples_are_a_view() {
        let dataset = dataset();
        let (rows, labels) = dataset.get_items(&[1, 2, 3]).unwrap();
        assert_eq!(rows, Tensor::from_slice2(&[[2_f32, 3.0], [4.0, 5.0], [6.0, 7.0]]));
        assert_eq!(Vec::<i64>::try_from(labels).unwrap(), [11, 12, 13]);
        let second_row = dataset.tensors().0.get(1);
        assert_eq!(rows.data_ptr(), second_row.data_ptr());
    }

    #[test]
    fn samples_are_selected_in_any_order() {
        let (rows, labels) = dataset().get_items(&[4, 0, 4]).unwrap();
        assert_eq!(rows, Tensor::from_slice2(&[[8_f32, 9.0], [0.0, 1.0], [8.0, 9.0]]));
        assert_eq!(Vec::<i64>::try_from(labels).unwrap(), [14, 10, 14]);
    }

    #[test]
    fn several_batches_are_slices_of_one_copy() {
        let batches = dataset().get_batches(&[&[4, 0], &[2], &[1, 1, 3]]).unwrap();
        let labels: Vec<_> = batches.iter().map(|(_, labels)| Vec::<i64>::try_from(labels).unwrap()).collect();
        assert_eq!(labels, [vec![14, 10], vec![12], vec![11, 11, 13]]);
        assert_eq!(batches[1].0, Tensor::from_slice2(&[[4_f32, 5.0]]));
        // each sample has 16 bytes: 2 f32 and an i64
        assert_eq!(dataset().samples_at_once(), (1 << 20) / 16);
    }

    #[test]
    fn single_tensor_is_a_dataset() {
        let dataset = TensorDataset::new(Tensor::from_slice(&[1_i64, 2, 3])).unwrap();
        assert_eq!(Vec::<i64>::try_from(dataset.get_items(&[2, 1]).unwrap()).unwrap(), [3, 2]);
    }

    #[test]
    fn get_item_rejects_an_index_out_of_range() {
        assert!(dataset().get_item(5).is_err());
        assert!(dataset().get_items(&[4, 5]).is_err());
        assert!(dataset().get_items(&[0, 5]).is_err());
    }

    #[test]
    fn new_rejects_tensors_of_different_lengths_and_scalars() {
        let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
        assert_eq!(
            TensorDataset::new((zeros(&[1024, 3]), zeros(&[1000]))).unwrap_err().to_string(),
            "the tensors of a TensorDataset must have the same first dimension, but theirs are [1024, 1000]"
        );
        assert_eq!(
            TensorDataset::new((zeros(&[4]), zeros(&[]))).unwrap_err().to_string(),
            "tensor 1 of a TensorDataset must have a first dimension, its samples, but it is a scalar"
        );
    }
}
