//! Saved tensors that do not fit those that are to take them.

use crate::shown::shown;
use std::collections::BTreeMap;
use std::fmt;
use tch::{Kind, TchError, Tensor};

/// The names, shapes and dtypes in which saved tensors differ from those that are to take them.
///
/// Its sentence lists the first names of each kind; the fields have them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// The names that should have been saved and were not.
    pub missing: Vec<String>,
    /// The tensors of another shape.
    pub misshaped: Vec<Misshaped>,
    /// The tensors whose dtype cannot be converted to the expected one: integers to floating-point numbers, or complex numbers to
    /// real ones.
    pub mistyped: Vec<Mistyped>,
    /// The names that were saved and that nothing takes.
    pub unexpected: Vec<String>,
}

/// A saved tensor with another shape than it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshaped {
    /// The tensor's name, such as `fc1.weight.exp_avg`.
    pub name: String,
    /// The shape that it has.
    pub found: Vec<i64>,
    /// The shape that it should have.
    pub expected: Vec<i64>,
}

/// A saved tensor with another kind of dtype than it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistyped {
    /// The tensor's name, such as `fc1.weight`.
    pub name: String,
    /// The dtype that it has.
    pub found: Kind,
    /// The dtype that it should have.
    pub expected: Kind,
}

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, found, expected } = self;
        write!(f, "{name} ({found:?} instead of {expected:?})")
    }
}

impl fmt::Display for Misshaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, found, expected } = self;
        write!(f, "{name} ({found:?} instead of {expected:?})")
    }
}

impl Mismatch {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { missing, misshaped, mistyped, unexpected } = self;
        missing.is_empty() && misshaped.is_empty() && mistyped.is_empty() && unexpected.is_empty()
    }

    /// Returns the differences between saved tensors, with their shapes and dtypes, and the variables that are to take them.
    pub(crate) fn between<'v>(
        mut saved: BTreeMap<&str, (Vec<i64>, Kind)>,
        variables: impl Iterator<Item = (&'v str, &'v Tensor)>,
    ) -> Result<Self, TchError> {
        let mut mismatch = Self::default();
        for (name, variable) in variables {
            match saved.remove(name) {
                None => mismatch.missing.push(name.to_owned()),
                Some(saved) => mismatch.compare(name, saved, (variable.size(), variable.f_kind()?)),
            }
        }
        mismatch.unexpected = saved.into_keys().map(str::to_owned).collect();
        Ok(mismatch)
    }

    /// Notes in what a saved tensor differs from what is to take it.
    pub(crate) fn compare(&mut self, name: &str, saved: (Vec<i64>, Kind), expected: (Vec<i64>, Kind)) {
        let name = name.to_owned();
        if saved.0 != expected.0 {
            self.misshaped.push(Misshaped { name, found: saved.0, expected: expected.0 });
        } else if !has_values_of(expected.1, saved.1) {
            self.mistyped.push(Mistyped { name, found: saved.1, expected: expected.1 });
        }
    }

    /// Whether a variable of this name, which was compared, does not differ.
    pub(crate) fn fits(&self, name: &str) -> bool {
        let Self { missing, misshaped, mistyped, unexpected: _ } = self;
        !missing.iter().any(|other| other == name)
            && !misshaped.iter().any(|other| other.name == name)
            && !mistyped.iter().any(|other| other.name == name)
    }
}

/// Whether a dtype has the values of another, to its own precision: floating-point numbers of one dtype become those of any other,
/// and so do complex ones.
fn has_values_of(dtype: Kind, saved: Kind) -> bool {
    match (number(dtype), number(saved)) {
        (Some(Number::Integer(least, greatest)), Some(Number::Integer(from, to))) => least <= from && to <= greatest,
        (Some(number), Some(saved)) => number == saved,
        _ => dtype == saved,
    }
}

#[derive(PartialEq)]
enum Number {
    Float,
    Complex,
    /// From the least to the greatest.
    Integer(i64, i64),
}

fn number(dtype: Kind) -> Option<Number> {
    match dtype {
        Kind::Half | Kind::Float | Kind::Double | Kind::BFloat16 | Kind::Float8e5m2 | Kind::Float8e4m3fn => {
            Some(Number::Float)
        }
        Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble => Some(Number::Complex),
        Kind::Uint8 => Some(Number::Integer(0, u8::MAX.into())),
        Kind::Int8 => Some(Number::Integer(i8::MIN.into(), i8::MAX.into())),
        Kind::Int16 => Some(Number::Integer(i16::MIN.into(), i16::MAX.into())),
        Kind::Int => Some(Number::Integer(i32::MIN.into(), i32::MAX.into())),
        Kind::Int64 => Some(Number::Integer(i64::MIN, i64::MAX)),
        _ => None,
    }
}

/// How many names a sentence lists before it counts the rest.
const LISTED: usize = 8;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { missing, misshaped, mistyped, unexpected } = self;
        let problems = [
            list("missing", missing),
            list("of another shape", misshaped),
            list("of another kind of dtype", mistyped),
            list("unexpected", unexpected),
        ];
        f.write_str(&problems.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

fn list(problem: &str, names: &[impl fmt::Display]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{problem}: {}", first_of(names)))
}

/// The longest part of a sentence that a name is.
const LONGEST: usize = 200;

/// The first names for a sentence, and the number of those that follow. They may be those of any file.
pub(crate) fn first_of(names: &[impl fmt::Display]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| shown(&name.to_string(), LONGEST)).collect();
    let rest = names.len().saturating_sub(LISTED);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dtype_has_the_values_of_its_kind() {
        let floats = [Kind::Half, Kind::BFloat16, Kind::Float, Kind::Double];
        let others = [Kind::Int64, Kind::Uint8, Kind::Bool, Kind::ComplexFloat];
        for float in floats {
            assert!(floats.iter().all(|other| has_values_of(float, *other)));
            assert!(others.iter().all(|other| !has_values_of(float, *other) && !has_values_of(*other, float)));
        }
        assert!(has_values_of(Kind::Int64, Kind::Uint8) && has_values_of(Kind::Int16, Kind::Uint8));
        assert!(!has_values_of(Kind::Int, Kind::Int64) && !has_values_of(Kind::Int8, Kind::Uint8));
        assert!(has_values_of(Kind::ComplexDouble, Kind::ComplexFloat) && has_values_of(Kind::Bool, Kind::Bool));
    }
}
