//! Collation: samples are joined into a batch, as by PyTorch's `default_collate`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash};

use tch::{TchError, Tensor};

use super::Batch;
use super::element::{self, Element};

/// A sample that can be joined with others into a batch.
///
/// The rules are those of PyTorch's
/// [`default_collate`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate):
///
/// | sample | batch |
/// |---|---|
/// | `Tensor` of shape `[…]` | `Tensor` of shape `[batch, …]`, same dtype |
/// | `f32`, `f64` | `Tensor` `[batch]` f32, f64 |
/// | any integer | `Tensor` `[batch]` i64 |
/// | `bool` | `Tensor` `[batch]` bool |
/// | `[T; N]` or `Vec<T>` of one length, of numbers, `bool`, arrays or lists of them | `Tensor` `[batch, N, …]` of their dtype, as of NumPy's arrays; u16, u32, u64, usize and isize as i64 |
/// | `String` | `Vec<String>` |
/// | tuple of up to eight samples | tuple of their batches |
/// | `Vec` of tensors, strings, tuples or maps, the same length in every sample | `Vec` of that length, of batches over the samples |
/// | map to `T`, the same keys in every sample | map to batches |
///
/// Arrays and lists of numbers are copied once, into the batch: a sample need not be a tensor.
///
/// [`#[derive(Collate)]`](derive@super::Collate) joins structs of samples. Implement it for other types; for a single dataset,
/// [`collate_with`](super::Dataset::collate_with) replaces it by a function.
///
/// ```
/// use tch_lightning::data::Collate;
///
/// let (values, names) = Collate::collate(vec![(1.5_f32, "one".to_owned()), (2.5, "two".to_owned())])?;
/// assert_eq!(Vec::<f32>::try_from(values)?, [1.5, 2.5]);
/// assert_eq!(names, ["one", "two"]);
/// # Ok::<(), tch::TchError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "samples of type `{Self}` cannot be joined into a batch [TL0507]",
    label = "not a sample",
    note = "samples are tensors, numbers, `bool`, `String`, arrays and lists of numbers, and tuples, lists and maps of samples; \
            write `#[derive(Collate)]` above your own struct, or join samples by a function with `collate_with`"
)]
pub trait Collate: Sized {
    /// The batch of several samples.
    type Batch: Batch;

    /// Joins samples into a batch, in their order.
    ///
    /// # Errors
    /// [`TchError::Shape`] if the samples' shapes, lengths or keys differ, [`TchError::Convert`] if an
    /// integer does not fit an i64; both name the sample by its position in the batch. Any other error is
    /// libtorch's, for instance for an empty list of tensors.
    fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError>;
}

impl Collate for Tensor {
    type Batch = Tensor;

    fn collate(samples: Vec<Self>) -> Result<Tensor, TchError> {
        Tensor::f_stack(&samples, 0).map_err(|error| unequal_shapes(&samples).unwrap_or(error))
    }
}

/// Returns an error that names the odd tensor, where libtorch's has a C++ backtrace.
fn unequal_shapes(samples: &[Tensor]) -> Option<TchError> {
    let first = samples.first()?.size();
    let (position, odd) = samples.iter().map(Tensor::size).enumerate().find(|(_, size)| *size != first)?;
    Some(TchError::Shape(format!(
        "the tensors of a batch must have the same shape, but the first sample's is {first:?} and sample \
         {position}'s is {odd:?}"
    )))
}

impl Collate for String {
    type Batch = Vec<String>;

    fn collate(samples: Vec<Self>) -> Result<Vec<String>, TchError> {
        Ok(samples)
    }
}

macro_rules! collate_elements {
    ($($element:ty)+) => {$(
        impl Collate for $element {
            type Batch = Tensor;

            fn collate(samples: Vec<Self>) -> Result<Tensor, TchError> {
                Tensor::f_from_slice(&samples)
            }
        }
    )+};
}

collate_elements!(f32 f64 bool i64);

macro_rules! collate_integers {
    ($($integer:ty)+) => {$(
        impl Collate for $integer {
            type Batch = Tensor;

            fn collate(samples: Vec<Self>) -> Result<Tensor, TchError> {
                let widened = samples.into_iter().enumerate().map(|(position, integer)| {
                    i64::try_from(integer).map_err(|_| TchError::Convert(format!(
                        "sample {position} of a batch is {integer}, which does not fit an i64"
                    )))
                });
                Tensor::f_from_slice(&widened.collect::<Result<Vec<i64>, _>>()?)
            }
        }
    )+};
}

collate_integers!(u8 u16 u32 u64 usize i8 i16 i32 isize);

impl<T: Element> Collate for Vec<T> {
    type Batch = Tensor;

    fn collate(samples: Vec<Self>) -> Result<Tensor, TchError> {
        element::join(&samples)
    }
}

impl<T: Element, const N: usize> Collate for [T; N] {
    type Batch = Tensor;

    fn collate(samples: Vec<Self>) -> Result<Tensor, TchError> {
        element::join(&samples)
    }
}

/// Joins the first elements of all lists, then the second, and so on.
fn collate_lists<T: Collate>(samples: Vec<Vec<T>>) -> Result<Vec<T::Batch>, TchError> {
    let length = samples.first().map_or(0, Vec::len);
    let mut columns: Vec<Vec<T>> = (0..length).map(|_| Vec::with_capacity(samples.len())).collect();
    for (position, sample) in samples.into_iter().enumerate() {
        if sample.len() != length {
            return Err(TchError::Shape(format!(
                "the lists of a batch must have the same length, but the first sample's has {length} \
                 elements and sample {position}'s has {}",
                sample.len()
            )));
        }
        for (column, element) in columns.iter_mut().zip(sample) {
            column.push(element);
        }
    }
    columns.into_iter().map(T::collate).collect()
}

// an implementation for each, as one for all samples would include the numbers
macro_rules! list_collate {
    ($($element:ty)+) => {$(
        impl Collate for Vec<$element> {
            type Batch = Vec<<$element as Collate>::Batch>;

            fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError> {
                collate_lists(samples)
            }
        }
    )+};
}

list_collate!(Tensor String Vec<Tensor> Vec<String>);

impl<K: Ord + Debug + 'static, V: Collate> Collate for Vec<BTreeMap<K, V>> {
    type Batch = Vec<BTreeMap<K, V::Batch>>;

    fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError> {
        collate_lists(samples)
    }
}

impl<K, V, S> Collate for Vec<HashMap<K, V, S>>
where
    K: Eq + Hash + Ord + Debug + 'static,
    V: Collate,
    S: BuildHasher + Default + 'static,
{
    type Batch = Vec<HashMap<K, V::Batch, S>>;

    fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError> {
        collate_lists(samples)
    }
}

impl<K: Ord + Debug + 'static, V: Collate> Collate for BTreeMap<K, V> {
    type Batch = BTreeMap<K, V::Batch>;

    fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError> {
        let batch_size = samples.len();
        let mut columns: BTreeMap<K, Vec<V>> = BTreeMap::new();
        for (key, value) in samples.into_iter().flatten() {
            columns.entry(key).or_default().push(value);
        }
        columns.into_iter().map(|column| collate_column(column, batch_size)).collect()
    }
}

impl<K, V, S> Collate for HashMap<K, V, S>
where
    K: Eq + Hash + Ord + Debug + 'static,
    V: Collate,
    S: BuildHasher + Default + 'static,
{
    type Batch = HashMap<K, V::Batch, S>;

    fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError> {
        let batch_size = samples.len();
        let mut columns: HashMap<K, Vec<V>, S> = HashMap::default();
        for (key, value) in samples.into_iter().flatten() {
            columns.entry(key).or_default().push(value);
        }
        columns.into_iter().map(|column| collate_column(column, batch_size)).collect()
    }
}

/// Joins the values of one key. A column shorter than the batch means that a sample lacks the key.
fn collate_column<K: Debug, V: Collate>(
    (key, values): (K, Vec<V>),
    batch_size: usize,
) -> Result<(K, V::Batch), TchError> {
    if values.len() != batch_size {
        return Err(TchError::Shape(format!(
            "the maps of a batch must have the same keys, but only {} of {batch_size} samples have \
             the key {key:?}",
            values.len()
        )));
    }
    Ok((key, V::collate(values)?))
}

macro_rules! tuple_collate {
    ($($element:ident $column:ident)+) => {
        impl<$($element: Collate),+> Collate for ($($element,)+) {
            type Batch = ($($element::Batch,)+);

            fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError> {
                $(let mut $column = Vec::with_capacity(samples.len());)+
                #[allow(non_snake_case)] // each variable has the name of its type
                for ($($element,)+) in samples {
                    $($column.push($element);)+
                }
                Ok(($($element::collate($column)?,)+))
            }
        }

        impl<$($element: Collate),+> Collate for Vec<($($element,)+)> {
            type Batch = Vec<($($element::Batch,)+)>;

            fn collate(samples: Vec<Self>) -> Result<Self::Batch, TchError> {
                collate_lists(samples)
            }
        }
    };
}

tuple_collate!(A a);
tuple_collate!(A a B b);
tuple_collate!(A a B b C c);
tuple_collate!(A a B b C c D d);
tuple_collate!(A a B b C c D d E e);
tuple_collate!(A a B b C c D d E e F f);
tuple_collate!(A a B b C c D d E e F f G g);
tuple_collate!(A a B b C c D d E e F f G g H h);

/// Adds the name of a field of a sample to the error of its values. The code of `#[derive(Collate)]` calls it.
#[doc(hidden)]
pub fn error_of_field(field: &str, error: TchError) -> TchError {
    match error {
        TchError::Shape(message) => TchError::Shape(format!("`{field}`: {message}")),
        TchError::Convert(message) => TchError::Convert(format!("`{field}`: {message}")),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    fn floats(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.to_kind(Kind::Double).reshape(-1)).unwrap()
    }

    #[test]
    fn tensors_are_stacked_along_a_new_first_dimension() {
        let batch = Tensor::collate(vec![Tensor::from_slice(&[1_u8, 2]), Tensor::from_slice(&[3_u8, 4])]).unwrap();
        assert_eq!(batch.size(), [2, 2]);
        assert_eq!(batch.kind(), Kind::Uint8);
        assert_eq!(floats(&batch), [1.0, 2.0, 3.0, 4.0]);
    }

    /// The examples are those in the documentation of `default_collate`.
    #[test]
    fn collate_agrees_with_the_examples_of_pytorch() {
        let numbers = i64::collate(vec![0, 1, 2, 3]).unwrap();
        assert_eq!((numbers.kind(), floats(&numbers)), (Kind::Int64, vec![0.0, 1.0, 2.0, 3.0]));

        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(String::collate(names.clone()).unwrap(), names);

        let maps = [[("A", 0), ("B", 1)], [("A", 100), ("B", 100)]];
        let ordered = Collate::collate(maps.map(BTreeMap::from).to_vec()).unwrap();
        assert_eq!((floats(&ordered["A"]), floats(&ordered["B"])), (vec![0.0, 100.0], vec![1.0, 100.0]));
        let hashed = Collate::collate(maps.map(HashMap::from).to_vec()).unwrap();
        assert_eq!((floats(&hashed["A"]), floats(&hashed["B"])), (vec![0.0, 100.0], vec![1.0, 100.0]));

        let (first, second) = Collate::collate(vec![(0, 1), (2, 3)]).unwrap();
        assert_eq!((floats(&first), floats(&second)), (vec![0.0, 2.0], vec![1.0, 3.0]));

        let lists = Collate::collate(vec![vec![(0,), (1,)], vec![(2,), (3,)]]).unwrap();
        assert_eq!(lists.iter().map(|(list,)| floats(list)).collect::<Vec<_>>(), [[0.0, 2.0], [1.0, 3.0]]);
    }

    #[test]
    fn numbers_become_tensors_of_their_dtype() {
        let kinds = [
            f32::collate(vec![0.5]).unwrap().kind(),
            f64::collate(vec![0.5]).unwrap().kind(),
            bool::collate(vec![true]).unwrap().kind(),
            u8::collate(vec![255]).unwrap().kind(),
            i32::collate(vec![-1]).unwrap().kind(),
            usize::collate(vec![7]).unwrap().kind(),
        ];
        let (float, double, boolean, int64) = (Kind::Float, Kind::Double, Kind::Bool, Kind::Int64);
        assert_eq!(kinds, [float, double, boolean, int64, int64, int64]);
        assert_eq!(floats(&i32::collate(vec![-1, 5]).unwrap()), [-1.0, 5.0]);
    }

    #[test]
    fn samples_that_do_not_fit_together_are_named() {
        let ones = |size: &[i64]| Tensor::ones(size, (Kind::Float, tch::Device::Cpu));
        assert_eq!(
            Tensor::collate(vec![ones(&[3]), ones(&[3]), ones(&[4])]).unwrap_err().to_string(),
            "invalid shape: the tensors of a batch must have the same shape, but the first sample's is [3] and \
             sample 2's is [4]"
        );
        assert_eq!(
            Vec::<f32>::collate(vec![vec![1.0, 2.0], vec![3.0]]).unwrap_err().to_string(),
            "invalid shape: the lists of a batch must have the same length, but the first sample's has 2 \
             elements and sample 1's has 1"
        );
        assert_eq!(
            Vec::<(bool,)>::collate(vec![vec![(true,)], vec![]]).unwrap_err().to_string(),
            "invalid shape: the lists of a batch must have the same length, but the first sample's has 1 \
             elements and sample 1's has 0"
        );
        let keyed = [BTreeMap::from([("x", 1), ("y", 2)]), BTreeMap::from([("x", 1)])];
        assert_eq!(
            Collate::collate(keyed.to_vec()).unwrap_err().to_string(),
            "invalid shape: the maps of a batch must have the same keys, but only 1 of 2 samples have the \
             key \"y\""
        );
        assert_eq!(
            u64::collate(vec![1, u64::MAX]).unwrap_err().to_string(),
            "conversion error: sample 1 of a batch is 18446744073709551615, which does not fit an i64"
        );
    }
}
