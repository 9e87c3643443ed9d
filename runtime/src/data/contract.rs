//! The contract of a batch: the shapes, dtypes and ranges of values that `#[derive(Batch)]` declares for its fields.

use super::Batch;
use std::fmt;
use std::ops::{Bound, RangeBounds};
use tch::{Device, Kind, TchError, Tensor};

/// What a batch has that its contract does not allow. Returned by [`Batch::check_contract`].
// boxed, as it is part of other errors
#[derive(Clone, Debug, PartialEq)]
pub struct ContractViolation(Box<Violation>);

#[derive(Clone, Debug, PartialEq)]
struct Violation {
    /// The field, with those that it is within: `sentence.tokens`.
    field: String,
    found: Found,
}

#[derive(Clone, Debug, PartialEq)]
enum Found {
    Kind { kind: Kind, expected: Kind },
    Shape { shape: Vec<i64>, expected: String },
    Size { name: &'static str, shape: Vec<i64>, expected: i64, other: &'static str },
    Value { value: String, position: Vec<i64>, sample: Option<usize>, range: String },
    Unreadable(String),
}

impl std::error::Error for ContractViolation {}

impl fmt::Display for ContractViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { field, found } = &*self.0;
        match found {
            Found::Kind { kind, expected } => {
                write!(f, "`{field}` is {}, and must be {}", dtype(*kind), dtype(*expected))
            }
            Found::Shape { shape, expected } => write!(f, "`{field}` is {shape:?}, and must be {expected}"),
            Found::Size { name, shape, expected, other } => {
                write!(f, "`{field}` is {shape:?}, but its {name} must be {expected}, as in `{other}`")
            }
            Found::Value { value, position, sample, range } => {
                let within: Vec<String> = position.iter().skip(1).map(i64::to_string).collect();
                let within = if within.is_empty() { String::new() } else { format!("[{}]", within.join(", ")) };
                write!(f, "`{field}{within}` of ")?;
                match (sample, position.first()) {
                    (Some(sample), _) => write!(f, "sample {sample} of the dataset")?,
                    (None, Some(row)) => write!(f, "sample {row} of the batch")?,
                    (None, None) => write!(f, "the batch")?,
                }
                write!(f, " is {value}, and must be in {range}")
            }
            Found::Unreadable(error) => write!(f, "`{field}` cannot be checked: {error}"),
        }
    }
}

impl ContractViolation {
    /// Names the field or the element that the violating value is within.
    #[doc(hidden)]
    #[must_use]
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        self.0.field = format!("{outer}.{}", self.0.field);
        self
    }

    /// Names the sample by its index in the dataset, if the batch has one row for each of these indices.
    pub(super) fn of_samples(mut self, indices: &[usize]) -> Self {
        if let Found::Value { position, sample, .. } = &mut self.0.found {
            let row = position.first().and_then(|row| usize::try_from(*row).ok());
            *sample = row.and_then(|row| indices.get(row)).copied();
        }
        self
    }
}

/// A size in a contract.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Dimension {
    /// The size itself.
    Size(i64),
    /// A name, whose size is the same in the whole batch.
    Named(&'static str),
    /// `_`: any size.
    Any,
    /// `...`: any number of dimensions.
    Rest,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => write!(f, "{size}"),
            Self::Named(name) => f.write_str(name),
            Self::Any => f.write_str("_"),
            Self::Rest => f.write_str("..."),
        }
    }
}

/// The contract of a field. The macro writes it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Contract<'a> {
    /// `None` for any shape.
    pub shape: Option<&'a [Dimension]>,
    /// `None` for any dtype.
    pub kind: Option<Kind>,
    /// `None` for any values.
    pub range: Option<Range>,
}

/// A range of values.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Range {
    low: Bound<f64>,
    high: Bound<f64>,
}

/// A number in a range.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the values of a batch are numbers, and the bounds of this range are `{Self}` [TL0506]",
    label = "not a range of numbers"
)]
pub trait Number: Copy {
    /// The number as libtorch compares it.
    fn number(self) -> f64;
}

macro_rules! number {
    ($($number:ty)+) => {$(
        impl Number for $number {
            fn number(self) -> f64 {
                self as f64
            }
        }
    )+};
}

number!(f32 f64 u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl Range {
    /// Returns the range that a user wrote: `0..10`, `0.0..=1.0`, `0..`.
    pub fn of<T: Number>(written: &impl RangeBounds<T>) -> Self {
        Self { low: written.start_bound().map(|low| low.number()), high: written.end_bound().map(|high| high.number()) }
    }

    /// Whether all values are in the range, by their smallest and largest, which are NaN if one of them is.
    fn has(&self, values: &Tensor) -> Result<bool, TchError> {
        if values.numel() == 0 {
            return Ok(true);
        }
        let (smallest, largest) = values.f_aminmax(None, false)?;
        let violations = self.violations(&Tensor::f_stack(&[smallest, largest], 0)?)?;
        Ok(violations.f_any()?.f_int64_value(&[])? == 0)
    }

    /// Returns which values are not in the range; NaN is in none.
    fn violations(&self, values: &Tensor) -> Result<Tensor, TchError> {
        let low = match self.low {
            Bound::Included(low) => values.f_ge(low)?,
            Bound::Excluded(low) => values.f_gt(low)?,
            Bound::Unbounded => values.f_isnan()?.f_logical_not()?,
        };
        let within = match self.high {
            Bound::Included(high) => low.f_logical_and(&values.f_le(high)?)?,
            Bound::Excluded(high) => low.f_logical_and(&values.f_lt(high)?)?,
            Bound::Unbounded => low,
        };
        within.f_logical_not()
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Bound::Included(low) | Bound::Excluded(low) = self.low {
            write!(f, "{low}")?;
        }
        match self.high {
            Bound::Included(high) => write!(f, "..={high}"),
            Bound::Excluded(high) => write!(f, "..{high}"),
            Bound::Unbounded => f.write_str(".."),
        }
    }
}

/// The named sizes that the fields of a batch have had so far, with the field that had each first.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Sizes(Vec<(&'static str, i64, &'static str)>);

impl Sizes {
    /// Checks all tensors of a field.
    ///
    /// # Errors
    /// The first violation.
    pub fn check(
        &mut self,
        field: &'static str,
        value: &impl Batch,
        contract: &Contract<'_>,
    ) -> Result<(), ContractViolation> {
        let mut outcome = Ok(());
        value.visit_tensors(&mut |tensor| {
            if outcome.is_ok() {
                let found = self.check_tensor(field, tensor, contract);
                outcome =
                    found.map_err(|found| ContractViolation(Box::new(Violation { field: field.to_owned(), found })));
            }
        });
        outcome
    }

    fn check_tensor(&mut self, field: &'static str, tensor: &Tensor, contract: &Contract<'_>) -> Result<(), Found> {
        if let Some(expected) = contract.kind.filter(|expected| *expected != tensor.kind()) {
            return Err(Found::Kind { kind: tensor.kind(), expected });
        }
        if let Some(shape) = contract.shape {
            self.check_shape(field, &tensor.size(), shape)?;
        }
        match contract.range {
            // on another device, this would wait for it
            Some(range) if tensor.device() == Device::Cpu => {
                let violation = first_violation(tensor, range);
                violation.map_err(|error| Found::Unreadable(error.to_string()))?.map_or(Ok(()), Err)
            }
            _ => Ok(()),
        }
    }

    fn check_shape(&mut self, field: &'static str, shape: &[i64], dimensions: &[Dimension]) -> Result<(), Found> {
        let expected = || format!("[{}]", dimensions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        let wrong = || Found::Shape { shape: shape.to_vec(), expected: expected() };
        let rest = dimensions.iter().position(|dimension| matches!(dimension, Dimension::Rest));
        let (first, last) = dimensions.split_at(rest.unwrap_or(dimensions.len()));
        let last = last.get(1..).unwrap_or_default();
        let fixed = first.len() + last.len();
        if shape.len() < fixed || (rest.is_none() && shape.len() > fixed) {
            return Err(wrong());
        }
        let (first_sizes, last_sizes) = (&shape[..first.len()], &shape[shape.len() - last.len()..]);
        for (dimension, size) in first.iter().chain(last).zip(first_sizes.iter().chain(last_sizes)) {
            match *dimension {
                Dimension::Size(expected) if expected != *size => return Err(wrong()),
                Dimension::Named(name) => self.bind(name, *size, field, shape)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn bind(&mut self, name: &'static str, size: i64, field: &'static str, shape: &[i64]) -> Result<(), Found> {
        match self.0.iter().find(|(bound, ..)| *bound == name) {
            Some(&(_, expected, other)) if expected != size => {
                Err(Found::Size { name, shape: shape.to_vec(), expected, other })
            }
            Some(_) => Ok(()),
            None => {
                self.0.push((name, size, field));
                Ok(())
            }
        }
    }
}

/// Returns the first value that is not in the range.
fn first_violation(tensor: &Tensor, range: Range) -> Result<Option<Found>, TchError> {
    if range.has(tensor)? {
        return Ok(None);
    }
    let position = Vec::<i64>::try_from(range.violations(tensor)?.f_nonzero()?.f_select(0, 0)?)?;
    let value = match tensor.is_floating_point() {
        true => tensor.f_double_value(&position)?.to_string(),
        false => tensor.f_int64_value(&position)?.to_string(),
    };
    Ok(Some(Found::Value { value, position, sample: None, range: range.to_string() }))
}

/// Returns the name of a dtype in a contract.
fn dtype(kind: Kind) -> String {
    let name = match kind {
        Kind::Half => "f16",
        Kind::BFloat16 => "bf16",
        Kind::Float => "f32",
        Kind::Double => "f64",
        Kind::Uint8 => "u8",
        Kind::Int8 => "i8",
        Kind::Int16 => "i16",
        Kind::Int => "i32",
        Kind::Int64 => "i64",
        Kind::Bool => "bool",
        other => return format!("{other:?}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(tensors: &[(&'static str, Tensor)], contract: &Contract<'_>) -> String {
        let mut sizes = Sizes::default();
        let outcomes = tensors.iter().map(|(field, tensor)| sizes.check(field, tensor, contract));
        outcomes.collect::<Result<(), _>>().map_or_else(|violation| violation.to_string(), |()| String::new())
    }

    fn zeros(shape: &[i64]) -> Tensor {
        Tensor::zeros(shape, (Kind::Float, Device::Cpu))
    }

    #[test]
    fn shape_is_compared_from_both_ends() {
        use Dimension::{Any, Named, Rest, Size};
        let said = |dimensions: &[Dimension], shape: &[i64]| {
            said(&[("images", zeros(shape))], &Contract { shape: Some(dimensions), kind: None, range: None })
        };
        assert_eq!(said(&[Named("N"), Size(3), Any], &[2, 3, 9]), "");
        assert_eq!(said(&[Named("N"), Size(3), Any], &[2, 1, 9]), "`images` is [2, 1, 9], and must be [N, 3, _]");
        assert_eq!(said(&[Named("N"), Size(3)], &[2, 3, 9]), "`images` is [2, 3, 9], and must be [N, 3]");
        assert_eq!(said(&[Named("N"), Rest, Size(3)], &[2, 5, 6, 3]), "");
        assert_eq!(said(&[Named("N"), Rest, Size(3)], &[2, 3]), "");
        assert_eq!(said(&[Named("N"), Rest, Size(3)], &[3]), "`images` is [3], and must be [N, ..., 3]");
        assert_eq!(said(&[Rest], &[]), "");
        assert_eq!(said(&[Named("N"), Named("N")], &[2, 3]), "`images` is [2, 3], but its N must be 2, as in `images`");
    }

    #[test]
    fn name_has_one_size_in_a_batch() {
        let contract = Contract { shape: Some(&[Dimension::Named("N"), Dimension::Rest]), kind: None, range: None };
        assert_eq!(said(&[("images", zeros(&[4, 2])), ("labels", zeros(&[4]))], &contract), "");
        assert_eq!(
            said(&[("images", zeros(&[4, 2])), ("labels", zeros(&[3]))], &contract),
            "`labels` is [3], but its N must be 4, as in `images`"
        );
    }

    #[test]
    fn dtype_is_named_as_in_rust() {
        let contract = Contract { shape: None, kind: Some(Kind::Int64), range: None };
        assert_eq!(said(&[("labels", zeros(&[4]))], &contract), "`labels` is f32, and must be i64");
    }

    #[test]
    fn value_out_of_range_is_named_with_its_sample() {
        let within = |range, tensor: Tensor| {
            said(&[("labels", tensor)], &Contract { shape: None, kind: None, range: Some(range) })
        };
        let labels = || Tensor::from_slice(&[3i64, 9, 10, -1]);
        assert_eq!(within(Range::of(&(-1..=10)), labels()), "");
        assert_eq!(
            within(Range::of(&(-1..10)), labels()),
            "`labels` of sample 2 of the batch is 10, and must be in -1..10"
        );
        assert_eq!(within(Range::of(&(0..)), labels()), "`labels` of sample 3 of the batch is -1, and must be in 0..");
        assert_eq!(within(Range::of(&(0.0..)), Tensor::from_slice(&[f32::INFINITY])), "");
        // a bound is compared in the dtype of the values, as in PyTorch
        assert_eq!(within(Range::of(&(0.0..=0.1)), Tensor::from_slice(&[0.1f32])), "");
        assert_eq!(within(Range::of(&(0.0..=0.1)), Tensor::zeros([0], (Kind::Float, Device::Cpu))), "");
        let pixels = Tensor::from_slice(&[0.5f32, 1.0, f32::NAN, 0.0]).view([2, 2]);
        assert_eq!(
            within(Range::of(&(0.0..=1.0)), pixels),
            "`labels[0]` of sample 1 of the batch is NaN, and must be in 0..=1"
        );
        assert_eq!(within(Range::of(&(..2)), Tensor::from(7)), "`labels` of the batch is 7, and must be in ..2");
    }
}
