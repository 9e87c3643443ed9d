//! Plain values, which are written into the tensor of a batch.

use tch::{TchError, Tensor, kind};

use crate::native::{self, Filling};

/// A plain value: a number, a `bool`, or an array or a list of plain values. Arrays and lists of them are written straight into the tensor
/// of a [batch](super::Collate), without a tensor for each sample.
///
/// Other types cannot implement it.
#[diagnostic::on_unimplemented(
    message = "samples with lists of `{Self}` cannot be joined into a batch [TL0507]",
    label = "not a plain value",
    note = "arrays and lists in samples are of numbers, `bool`, and arrays and lists of them; \
            `Vec<Tensor>`, `Vec<String>`, and lists of tuples and maps become a list of batches; \
            join other samples by a function with `collate_with`"
)]
pub trait Element: Sized + 'static {
    /// The elements of the tensor.
    #[doc(hidden)]
    type Stored: kind::Element;

    /// Adds the dimensions of this value to `shape`: of a list, its length and the dimensions of its first value.
    #[doc(hidden)]
    fn shape(&self, shape: &mut Vec<i64>);

    /// Checks that this value has these dimensions, and that the tensor can hold its numbers.
    #[doc(hidden)]
    fn check(&self, shape: &[i64]) -> Result<(), Misfit>;

    /// Writes values that have been checked.
    #[doc(hidden)]
    fn write(values: &[Self], to: &mut Filling<'_, Self::Stored>);
}

/// Why a value does not fit into the tensor.
pub enum Misfit {
    /// A list has another length.
    Length {
        /// The length of the first sample's list.
        first: i64,
        /// The length of this list.
        found: usize,
    },
    /// The number does not fit an i64.
    Integer(String),
}

impl Misfit {
    fn of_sample(self, position: usize) -> TchError {
        match self {
            Self::Length { first, found } => TchError::Shape(format!(
                "the lists of a batch must have the same length, but the first sample's has {first} elements and \
                 sample {position}'s has {found}"
            )),
            Self::Integer(integer) => {
                TchError::Convert(format!("sample {position} of a batch is {integer}, which does not fit an i64"))
            }
        }
    }
}

/// Joins the values of several samples into a tensor, whose first dimension is theirs.
pub(super) fn join<T: Element>(samples: &[T]) -> Result<Tensor, TchError> {
    let mut shape = vec![samples.len() as i64];
    if let Some(first) = samples.first() {
        first.shape(&mut shape);
    }
    for (position, sample) in samples.iter().enumerate() {
        sample.check(&shape[1..]).map_err(|misfit| misfit.of_sample(position))?;
    }
    native::filled(&shape, |to| {
        T::write(samples, to);
        Ok(())
    })
}

macro_rules! stored_as_they_are {
    ($($number:ty)+) => {$(
        impl Element for $number {
            type Stored = Self;

            fn shape(&self, _: &mut Vec<i64>) {}

            fn check(&self, _: &[i64]) -> Result<(), Misfit> {
                Ok(())
            }

            fn write(values: &[Self], to: &mut Filling<'_, Self>) {
                to.write(values);
            }
        }
    )+};
}

stored_as_they_are!(f32 f64 bool u8 i8 i16 i32 i64);

/// PyTorch has hardly an operator for unsigned integers of more than a byte.
macro_rules! stored_as_i64 {
    ($($number:ty)+) => {$(
        impl Element for $number {
            type Stored = i64;

            fn shape(&self, _: &mut Vec<i64>) {}

            fn check(&self, _: &[i64]) -> Result<(), Misfit> {
                i64::try_from(*self).map_or_else(|_| Err(Misfit::Integer(self.to_string())), |_| Ok(()))
            }

            fn write(values: &[Self], to: &mut Filling<'_, i64>) {
                to.write_each(values.len(), values.iter().map(|value| *value as i64));
            }
        }
    )+};
}

stored_as_i64!(u16 u32 u64 usize isize);

impl<T: Element, const N: usize> Element for [T; N] {
    type Stored = T::Stored;

    fn shape(&self, shape: &mut Vec<i64>) {
        shape_of_list(self, shape);
    }

    fn check(&self, shape: &[i64]) -> Result<(), Misfit> {
        self.iter().try_for_each(|value| value.check(&shape[1..]))
    }

    fn write(values: &[Self], to: &mut Filling<'_, T::Stored>) {
        T::write(values.as_flattened(), to);
    }
}

impl<T: Element> Element for Vec<T> {
    type Stored = T::Stored;

    fn shape(&self, shape: &mut Vec<i64>) {
        shape_of_list(self, shape);
    }

    fn check(&self, shape: &[i64]) -> Result<(), Misfit> {
        if self.len() as i64 != shape[0] {
            return Err(Misfit::Length { first: shape[0], found: self.len() });
        }
        self.iter().try_for_each(|value| value.check(&shape[1..]))
    }

    fn write(values: &[Self], to: &mut Filling<'_, T::Stored>) {
        values.iter().for_each(|list| T::write(list, to));
    }
}

fn shape_of_list<T: Element>(values: &[T], shape: &mut Vec<i64>) {
    shape.push(values.len() as i64);
    if let Some(first) = values.first() {
        first.shape(shape);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn values_have_the_dimensions_of_their_type() {
        assert_eq!(join(&[[[1_i64, 2], [3, 4], [5, 6]]]).unwrap().size(), [1, 3, 2]);
        assert_eq!(join(&[vec![[1_i64, 2]], vec![[3, 4]]]).unwrap().size(), [2, 1, 2]);
        assert_eq!(join(&[[vec![true], vec![false]]]).unwrap().size(), [1, 2, 1]);
        assert_eq!(join::<[f32; 0]>(&[[], []]).unwrap().size(), [2, 0]);
        assert_eq!(join::<Vec<f32>>(&[vec![], vec![]]).unwrap().size(), [2, 0]);
    }

    #[test]
    fn values_are_written_in_their_order() {
        let joined = join(&[vec![[1.5_f32, 2.0], [3.0, 4.0]], vec![[5.0, 6.0], [7.0, 8.0]]]).unwrap();
        let expected = Tensor::from_slice(&[1.5_f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).view([2, 2, 2]);
        assert_eq!(joined, expected);
    }

    /// As those of NumPy's arrays in PyTorch, except that PyTorch hardly has operators for larger unsigned integers.
    #[test]
    fn dtype_is_that_of_the_numbers() {
        assert_eq!(join(&[[0_u8, 255]]).unwrap().kind(), Kind::Uint8);
        assert_eq!(join(&[[-1_i32]]).unwrap().kind(), Kind::Int);
        assert_eq!(join(&[[0.5_f64]]).unwrap().kind(), Kind::Double);
        assert_eq!(join(&[[true]]).unwrap().kind(), Kind::Bool);
        assert_eq!(join(&[[65_535_u16]]).unwrap(), Tensor::from_slice2(&[[65_535_i64]]));
    }

    #[test]
    fn value_that_does_not_fit_is_named() {
        let said = |joined: Result<Tensor, TchError>| joined.unwrap_err().to_string();
        assert_eq!(
            said(join(&[vec![1.0_f32, 2.0], vec![3.0, 4.0], vec![5.0]])),
            "invalid shape: the lists of a batch must have the same length, but the first sample's has 2 elements and \
             sample 2's has 1"
        );
        assert_eq!(
            said(join(&[vec![vec![1_i64], vec![2]], vec![vec![3], vec![]]])),
            "invalid shape: the lists of a batch must have the same length, but the first sample's has 1 elements and \
             sample 1's has 0"
        );
        assert_eq!(
            said(join(&[[1_u64, 2], [3, u64::MAX]])),
            "conversion error: sample 1 of a batch is 18446744073709551615, which does not fit an i64"
        );
    }
}
