//! The argument of a step: a tree of tensors that can be moved to a device.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use tch::{Device, TchError, Tensor};

use super::{ContractViolation, pinned};
use crate::native;

/// A tree of tensors. A [`DataLoader`](super::DataLoader) yields it, the trainer moves it to a device and passes it to
/// a step.
///
/// A [`Tensor`] is a batch. Tuples of up to eight batches, `Vec`, arrays, `Option`, `Box` and the values
/// of maps are batches when their elements are. Numbers, `bool`, `String`, `PhantomData` and `()` hold no tensor and are
/// passed through unchanged. For your own structs, use `#[derive(Batch)]`.
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use tch_lightning::data::Batch;
///
/// let batch = (Tensor::zeros([11, 3], (Kind::Float, Device::Cpu)), vec!["a caption".to_owned()]);
/// assert_eq!(batch.batch_size(), Some(11));
///
/// let (images, captions) = batch.move_to_device(Device::Cpu)?;
/// assert_eq!(images.size(), [11, 3]);
/// assert_eq!(captions, ["a caption"]);
/// # Ok::<(), tch::TchError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a batch: it does not implement `Batch` [TL0503]",
    label = "not a batch",
    note = "write `#[derive(Batch)]` above your own struct, or use `Tensor`, or tuples, lists and maps of them",
    note = "a field of another type stays where it is by `#[batch(skip)]` above it"
)]
pub trait Batch: Sized + 'static {
    /// Replaces every tensor by the result of `map`, in a fixed order of the fields.
    ///
    /// # Errors
    /// The first error of `map`; the tensors after it are not visited.
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError>;

    /// Calls `visit` with every tensor, in the order of [`map_tensors`](Batch::map_tensors).
    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor));

    /// Checks the contract that `#[derive(Batch)]` declares by `#[batch("N 3 H W", f32)]`. A loader calls it for each batch, on the thread that
    /// has read it.
    ///
    /// # Errors
    /// The first violation.
    fn check_contract(&self) -> Result<(), ContractViolation> {
        Ok(())
    }

    /// Moves every tensor to `device`. A tensor that is already there is returned unchanged.
    ///
    /// The copy is asynchronous, except to the CPU and to MPS, as in Lightning's
    /// [`move_data_to_device`](https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/fabric/utilities/apply_func.py).
    /// From pinned memory it overlaps with the device's work.
    ///
    /// # Errors
    /// An error of libtorch, for instance that the device is out of memory.
    fn move_to_device(self, device: Device) -> Result<Self, TchError> {
        self.map_tensors(&mut |tensor| move_tensor(tensor, device))
    }

    /// Copies every tensor in host memory to pinned memory, from which copies to a GPU are asynchronous. Tensors that are
    /// already pinned, or on a device, are returned unchanged.
    ///
    /// Without CUDA it does nothing, as in
    /// [PyTorch](https://docs.pytorch.org/docs/stable/data.html#memory-pinning).
    ///
    /// # Errors
    /// An error of libtorch, for instance that no more memory can be pinned.
    fn move_to_pinned_memory(self) -> Result<Self, TchError> {
        if !pinned::is_possible() {
            return Ok(self);
        }
        self.map_tensors(&mut |tensor| match tensor.device() {
            Device::Cpu => native::pin_memory(&tensor).map_err(|error| TchError::Torch(error.to_string())),
            _ => Ok(tensor),
        })
    }

    /// The number of samples: the first dimension of the first tensor that has one.
    ///
    /// 1 if all tensors are scalars, `None` if there is no tensor. Lightning's
    /// [`extract_batch_size`](https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/pytorch/utilities/data.py)
    /// infers the same, except that a scalar before a larger tensor is ignored here.
    fn batch_size(&self) -> Option<usize> {
        let mut only_scalars = None;
        let mut first_dimension = None;
        self.visit_tensors(&mut |tensor| {
            if first_dimension.is_none() {
                first_dimension = tensor.size().first().map(|&size| size as usize);
                only_scalars = Some(1);
            }
        });
        first_dimension.or(only_scalars)
    }
}

/// Returns the tensors of a batch, in its order.
pub(crate) fn tensors_of(batch: &impl Batch) -> Vec<Tensor> {
    let mut tensors = Vec::new();
    batch.visit_tensors(&mut |tensor| tensors.push(tensor.shallow_clone()));
    tensors
}

fn move_tensor(tensor: Tensor, device: Device) -> Result<Tensor, TchError> {
    if tensor.device() == device {
        return Ok(tensor);
    }
    match device {
        // Synchronous: the host could read an asynchronous copy to the CPU before it is complete, and MPS would
        // compute with it too early (https://github.com/pytorch/pytorch/issues/83015).
        Device::Cpu | Device::Mps => tensor.f_to_device(device),
        _ => tensor.f_to_device_(device, tensor.f_kind()?, true, false),
    }
}

impl Batch for Tensor {
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        map(self)
    }

    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
        visit(self);
    }
}

impl<T: Batch> Batch for Box<T> {
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        (*self).map_tensors(map).map(Box::new)
    }

    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
        (**self).visit_tensors(visit);
    }

    fn check_contract(&self) -> Result<(), ContractViolation> {
        (**self).check_contract()
    }
}

impl<T: Batch> Batch for Option<T> {
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        self.map(|batch| batch.map_tensors(map)).transpose()
    }

    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
        if let Some(batch) = self {
            batch.visit_tensors(visit);
        }
    }

    fn check_contract(&self) -> Result<(), ContractViolation> {
        self.as_ref().map_or(Ok(()), T::check_contract)
    }
}

impl<T: Batch> Batch for Vec<T> {
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        self.into_iter().map(|batch| batch.map_tensors(map)).collect()
    }

    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
        self.iter().for_each(|batch| batch.visit_tensors(visit));
    }

    fn check_contract(&self) -> Result<(), ContractViolation> {
        check_each(self.iter().enumerate())
    }
}

impl<T: Batch, const N: usize> Batch for [T; N] {
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        let mapped = Vec::from(self).map_tensors(map)?;
        Ok(Self::try_from(mapped).unwrap_or_else(|_| unreachable!("mapping keeps the length")))
    }

    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
        self.iter().for_each(|batch| batch.visit_tensors(visit));
    }

    fn check_contract(&self) -> Result<(), ContractViolation> {
        check_each(self.iter().enumerate())
    }
}

/// The tensors are in the order of the keys: the map's own order is arbitrary, and another one in each map.
impl<K, V, S> Batch for HashMap<K, V, S>
where
    K: Eq + Hash + Ord + 'static,
    V: Batch,
    S: BuildHasher + Default + 'static,
{
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        let by_key = BTreeMap::from_iter(self);
        by_key.into_iter().map(|(key, batch)| Ok((key, batch.map_tensors(map)?))).collect()
    }

    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
        BTreeMap::from_iter(self).values().for_each(|batch| batch.visit_tensors(visit));
    }

    fn check_contract(&self) -> Result<(), ContractViolation> {
        check_each(BTreeMap::from_iter(self).into_values().enumerate())
    }
}

impl<K: Ord + 'static, V: Batch> Batch for BTreeMap<K, V> {
    fn map_tensors(self, map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        self.into_iter().map(|(key, batch)| Ok((key, batch.map_tensors(map)?))).collect()
    }

    fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
        self.values().for_each(|batch| batch.visit_tensors(visit));
    }

    fn check_contract(&self) -> Result<(), ContractViolation> {
        check_each(self.values().enumerate())
    }
}

fn check_each<'a, T: Batch>(elements: impl Iterator<Item = (usize, &'a T)>) -> Result<(), ContractViolation> {
    for (position, element) in elements {
        element.check_contract().map_err(|violation| violation.within(position))?;
    }
    Ok(())
}

macro_rules! tuple_batch {
    ($($element:ident)+) => {
        impl<$($element: Batch),+> Batch for ($($element,)+) {
            fn map_tensors(
                self,
                map: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>,
            ) -> Result<Self, TchError> {
                #[allow(non_snake_case)] // each variable has the name of its type
                let ($($element,)+) = self;
                Ok(($($element.map_tensors(map)?,)+))
            }

            fn visit_tensors(&self, visit: &mut dyn FnMut(&Tensor)) {
                #[allow(non_snake_case)]
                let ($($element,)+) = self;
                $($element.visit_tensors(visit);)+
            }

            fn check_contract(&self) -> Result<(), ContractViolation> {
                #[allow(non_snake_case)]
                let ($($element,)+) = self;
                $($element.check_contract()?;)+
                Ok(())
            }
        }
    };
}

tuple_batch!(A);
tuple_batch!(A B);
tuple_batch!(A B C);
tuple_batch!(A B C D);
tuple_batch!(A B C D E);
tuple_batch!(A B C D E F);
tuple_batch!(A B C D E F G);
tuple_batch!(A B C D E F G H);

macro_rules! batch_without_tensors {
    ($($leaf:ty)+) => {$(
        impl Batch for $leaf {
            fn map_tensors(
                self,
                _: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>,
            ) -> Result<Self, TchError> {
                Ok(self)
            }

            fn visit_tensors(&self, _: &mut dyn FnMut(&Tensor)) {}
        }
    )+};
}

/// Holds no tensor.
impl<T: ?Sized + 'static> Batch for PhantomData<T> {
    fn map_tensors(self, _: &mut dyn FnMut(Tensor) -> Result<Tensor, TchError>) -> Result<Self, TchError> {
        Ok(self)
    }

    fn visit_tensors(&self, _: &mut dyn FnMut(&Tensor)) {}
}

batch_without_tensors!(() bool String f32 f64);
batch_without_tensors!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    fn zeros(size: &[i64]) -> Tensor {
        Tensor::zeros(size, (Kind::Float, Device::Cpu))
    }

    #[test]
    fn tensors_of_a_tree_are_all_visited_and_mapped() {
        let batch = (
            Tensor::from(1.0),
            vec![Some(Tensor::from(2.0)), None],
            [Box::new(Tensor::from(3.0))],
            BTreeMap::from([("a", Tensor::from(4.0)), ("b", Tensor::from(5.0))]),
            HashMap::from([("c", Tensor::from(6.0))]),
            ("text".to_owned(), 7_i64, true, ()),
        );
        let mut sum = 0.0;
        batch.visit_tensors(&mut |tensor| sum += tensor.double_value(&[]));
        assert_eq!(sum, 21.0);

        let doubled = batch.map_tensors(&mut |tensor| Ok(tensor * 2.0)).unwrap();
        let mut seen = Vec::new();
        doubled.visit_tensors(&mut |tensor| seen.push(tensor.double_value(&[])));
        assert_eq!(seen, [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert_eq!(doubled.5, ("text".to_owned(), 7, true, ()));
    }

    #[test]
    fn tensors_of_a_hash_map_are_in_the_order_of_the_keys() {
        let keys: Vec<i64> = (0..50).rev().collect();
        let map: HashMap<i64, Tensor> = keys.into_iter().map(|key| (key, Tensor::from(key))).collect();
        let values = |map: &HashMap<i64, Tensor>| {
            let mut values = Vec::new();
            map.visit_tensors(&mut |tensor| values.push(tensor.int64_value(&[])));
            values
        };
        let in_order: Vec<i64> = (0..50).collect();
        assert_eq!(values(&map), in_order);
        let mut mapped = Vec::new();
        let map = map.map_tensors(&mut |tensor| {
            mapped.push(tensor.int64_value(&[]));
            Ok(tensor)
        });
        assert_eq!((values(&map.unwrap()), mapped), (in_order.clone(), in_order));
    }

    #[test]
    fn map_tensors_stops_at_the_first_error() {
        let mut visited = 0;
        let mapped = vec![zeros(&[1]), zeros(&[1]), zeros(&[1])].map_tensors(&mut |_| {
            visited += 1;
            Err(TchError::Shape("no".to_owned()))
        });
        assert_eq!(mapped.unwrap_err().to_string(), "invalid shape: no");
        assert_eq!(visited, 1);
    }

    #[test]
    fn tensor_already_on_the_device_is_returned_unchanged() {
        let tensor = zeros(&[2]);
        let address = tensor.as_ptr();
        let (moved, text) = (tensor, "kept".to_owned()).move_to_device(Device::Cpu).unwrap();
        assert_eq!(moved.as_ptr(), address);
        assert_eq!(text, "kept");
    }

    #[test]
    fn memory_is_pinned_if_cuda_is_usable() {
        let tensor = zeros(&[2]);
        let address = tensor.data_ptr();
        let (pinned, text) = (tensor, "kept".to_owned()).move_to_pinned_memory().unwrap();
        assert_eq!(text, "kept");
        assert_eq!(pinned, zeros(&[2]));
        assert_eq!(pinned.data_ptr() != address, pinned::is_possible());
    }

    /// The cases of Lightning's own `test_extract_batch_size`.
    #[test]
    fn batch_size_is_inferred_as_in_lightning() {
        assert_eq!(zeros(&[11, 10, 9, 8]).batch_size(), Some(11));
        assert_eq!(BTreeMap::from([("test", zeros(&[11, 10]))]).batch_size(), Some(11));
        assert_eq!(vec![zeros(&[11, 10])].batch_size(), Some(11));
        let nested = BTreeMap::from([("test", vec![BTreeMap::from([("test", vec![zeros(&[11, 10])])])])]);
        assert_eq!(nested.batch_size(), Some(11));
        assert_eq!(zeros(&[]).batch_size(), Some(1));
        assert_eq!("no tensor".to_owned().batch_size(), None);
    }

    #[test]
    fn batch_size_ignores_a_scalar_before_a_larger_tensor() {
        assert_eq!((zeros(&[]), zeros(&[4, 2]), zeros(&[5])).batch_size(), Some(4));
    }
}
