use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How many batches of a loader are used: a number, or a fraction of them. Lightning's `limit_train_batches` and the like.
///
/// An integer counts batches, a number with a decimal point is a fraction: `1` is one batch, `1.0` is all of them.
///
/// ```
/// use tch_lightning::trainer::BatchLimit;
///
/// assert_eq!(BatchLimit::from(3), BatchLimit::Batches(3));
/// assert_eq!("0.25".parse(), Ok(BatchLimit::Fraction(0.25)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BatchLimit {
    /// The first n batches.
    Batches(usize),
    /// The first batches up to this fraction of them, from 0 to 1, rounded down.
    Fraction(f64),
}

/// A fraction that leaves no batch, or one of a loader of unknown length.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum LimitError {
    #[error("{fraction} of {batches} batches is less than one: it must be at least {}", 1.0 / *batches as f64)]
    NoBatch { fraction: f64, batches: usize },
    #[error("a fraction ({0}) requires a loader of known length: set a number of batches")]
    UnknownLength(f64),
}

impl BatchLimit {
    /// All batches.
    pub const ALL: Self = Self::Fraction(1.0);
    /// No batch.
    pub const NONE: Self = Self::Batches(0);

    /// Returns whether no batch is used for any length of the loader.
    pub fn is_zero(self) -> bool {
        matches!(self, Self::Batches(0)) || self == Self::Fraction(0.0)
    }

    /// Returns the number of batches that are used of `batches`; `None` is a loader of unknown length.
    pub(crate) fn of(self, batches: Option<usize>) -> Result<Option<usize>, LimitError> {
        match (self, batches) {
            (Self::Batches(limit), None) => Ok(Some(limit)),
            (Self::Batches(limit), Some(batches)) => Ok(Some(limit.min(batches))),
            (Self::Fraction(1.0), None) => Ok(None),
            (Self::Fraction(fraction), None) => Err(LimitError::UnknownLength(fraction)),
            (Self::Fraction(fraction), Some(batches)) => {
                let used = (batches as f64 * fraction) as usize;
                let is_lost = used == 0 && batches > 0 && fraction > 0.0;
                if is_lost { Err(LimitError::NoBatch { fraction, batches }) } else { Ok(Some(used)) }
            }
        }
    }

    /// Returns the mistake, if the value is invalid.
    pub(super) fn mistake(self) -> Option<String> {
        match self {
            Self::Fraction(fraction) if !(0.0..=1.0).contains(&fraction) => {
                Some(format!("{fraction}: it must be a number of batches, or a fraction from 0.0 to 1.0"))
            }
            _ => None,
        }
    }
}

impl Default for BatchLimit {
    fn default() -> Self {
        Self::ALL
    }
}

impl From<usize> for BatchLimit {
    fn from(batches: usize) -> Self {
        Self::Batches(batches)
    }
}

impl From<f64> for BatchLimit {
    /// A fraction; an integer above 1 counts batches, as in Lightning.
    fn from(fraction: f64) -> Self {
        let is_count = fraction > 1.0 && fraction.fract() == 0.0;
        if is_count { Self::Batches(fraction as usize) } else { Self::Fraction(fraction) }
    }
}

impl fmt::Display for BatchLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batches(batches) => write!(f, "{batches}"),
            Self::Fraction(fraction) => write!(f, "{fraction:?}"),
        }
    }
}

impl FromStr for BatchLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = text.parse::<usize>().map(Self::from);
        let limit = count.or_else(|_| text.parse::<f64>().map(Self::from));
        limit.map_err(|_| "write a number of batches such as 10, or a fraction such as 0.25".to_owned())
    }
}

impl Serialize for BatchLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Batches(batches) => batches.serialize(serializer),
            Self::Fraction(fraction) => fraction.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for BatchLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write a number of batches, or a fraction")]
        enum Number {
            Count(usize),
            Fraction(f64),
            Absent(()),
        }
        Ok(match Number::deserialize(deserializer)? {
            Number::Count(batches) => batches.into(),
            Number::Fraction(fraction) => fraction.into(),
            Number::Absent(()) => Self::ALL,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_fractions_are_told_apart_as_in_lightning() {
        let read = |text: &str| serde_json::from_str::<BatchLimit>(text).unwrap();
        assert_eq!(
            ["1", "1.0", "0", "0.0", "7.0", "null"].map(read),
            [
                BatchLimit::Batches(1),
                BatchLimit::ALL,
                BatchLimit::NONE,
                BatchLimit::Fraction(0.0),
                BatchLimit::Batches(7),
                BatchLimit::ALL
            ]
        );
        for limit in [BatchLimit::Batches(1), BatchLimit::ALL, BatchLimit::Fraction(0.25)] {
            assert_eq!(limit.to_string().parse(), Ok(limit));
        }
    }

    #[test]
    fn part_is_rounded_down_and_is_at_least_a_batch() {
        assert_eq!(BatchLimit::Fraction(0.5).of(Some(7)), Ok(Some(3)));
        assert_eq!(BatchLimit::Batches(9).of(Some(7)), Ok(Some(7)));
        assert_eq!(BatchLimit::ALL.of(None), Ok(None));
        assert_eq!(
            BatchLimit::Fraction(0.1).of(Some(4)).unwrap_err().to_string(),
            "0.1 of 4 batches is less than one: it must be at least 0.25"
        );
        assert_eq!(BatchLimit::Fraction(0.5).of(None), Err(LimitError::UnknownLength(0.5)));
    }
}
