use super::{Every, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// When validation runs within training. Lightning's `val_check_interval`.
///
/// Plain numbers have the same meaning as in Lightning: `0.25` is four times per epoch, `100` is after every 100 batches of
/// an epoch, counted over epochs if `check_val_every_n_epoch` is none. An [`Every`] names its unit.
///
/// ```
/// use tch_lightning::{trainer::ValCheckInterval, Every};
///
/// assert_eq!(ValCheckInterval::from(100), ValCheckInterval::Every(Every::Batches(100)));
/// assert_eq!("500 steps".parse(), Ok(ValCheckInterval::Every(Every::OptimizerSteps(500))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ValCheckInterval {
    /// After this fraction of an epoch, above 0 and up to 1. Default 1, the end of the epoch.
    Fraction(f64),
    /// After a number of batches of an epoch, of optimizer steps or epochs of the run, or a time.
    Every(Every),
}

impl ValCheckInterval {
    /// At the end of an epoch.
    pub const EPOCH_END: Self = Self::Fraction(1.0);

    /// The interval in batches of an epoch that has `batches`; `None` is one of unknown length, or an interval that is not
    /// counted in batches.
    pub(crate) fn batches(self, batches: Option<usize>) -> Option<usize> {
        match (self, batches) {
            (Self::Every(Every::Batches(interval)), _) => Some(interval),
            (Self::Fraction(fraction), Some(batches)) => Some(((batches as f64 * fraction) as usize).max(1)),
            _ => None,
        }
    }

    /// Whether it is 1, a complete epoch or one batch: Lightning does not distinguish them when it decides whether an epoch is
    /// validated once.
    pub(crate) fn is_one(self) -> bool {
        matches!(self, Self::Fraction(1.0) | Self::Every(Every::Batches(1)))
    }

    /// Whether it is an interval in time.
    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Every(Every::Time(_)))
    }

    /// Returns the mistake, if the value is invalid.
    pub(super) fn mistake(self) -> Option<String> {
        match self {
            Self::Fraction(fraction) if !(fraction > 0.0 && fraction <= 1.0) => {
                Some(format!("{fraction}: it must be a number of batches, or a fraction above 0.0 and up to 1.0"))
            }
            Self::Fraction(_) => None,
            Self::Every(every) => every.mistake().map(|mistake| format!("{every}: {mistake}")),
        }
    }
}

impl Default for ValCheckInterval {
    fn default() -> Self {
        Self::EPOCH_END
    }
}

impl From<usize> for ValCheckInterval {
    fn from(batches: usize) -> Self {
        Self::Every(Every::Batches(batches))
    }
}

impl From<f64> for ValCheckInterval {
    /// A fraction; an integer above 1 counts batches, as in Lightning.
    fn from(fraction: f64) -> Self {
        let is_count = fraction > 1.0 && fraction.fract() == 0.0;
        if is_count { (fraction as usize).into() } else { Self::Fraction(fraction) }
    }
}

impl From<Every> for ValCheckInterval {
    fn from(every: Every) -> Self {
        Self::Every(every)
    }
}

impl fmt::Display for ValCheckInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fraction(fraction) => write!(f, "{fraction:?}"),
            Self::Every(Every::Batches(batches)) => write!(f, "{batches}"),
            Self::Every(every) => every.fmt(f),
        }
    }
}

impl FromStr for ValCheckInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = text.parse::<usize>().map(Self::from);
        let number = count.or_else(|_| text.parse::<f64>().map(Self::from));
        number.or_else(|_| text.parse().map(Self::Every))
    }
}

impl Serialize for ValCheckInterval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fraction(fraction) => fraction.serialize(serializer),
            Self::Every(Every::Batches(batches)) => batches.serialize(serializer),
            Self::Every(every) => every.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ValCheckInterval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "write a number of batches, a fraction, a time, or how often such as `100 steps`"
        )]
        enum Written {
            Count(usize),
            Fraction(f64),
            Every(Every),
            Time(Span),
            Absent(()),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Count(batches) => batches.into(),
            Written::Fraction(fraction) => fraction.into(),
            Written::Every(every) => every.into(),
            Written::Time(Span(time)) => Every::Time(time).into(),
            Written::Absent(()) => Self::EPOCH_END,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_what_lightning_means() {
        let read = |text: &str| serde_json::from_str::<ValCheckInterval>(text).unwrap();
        assert_eq!(read("1"), ValCheckInterval::from(1));
        assert_eq!(read("1.0"), ValCheckInterval::EPOCH_END);
        assert_eq!(read("0.25").batches(Some(10)), Some(2));
        assert_eq!(read("0.25").batches(Some(3)), Some(1));
        let five_minutes = ValCheckInterval::Every(Every::Time(std::time::Duration::from_secs(300)));
        assert_eq!(read("{\"minutes\": 5}"), five_minutes);
        assert_eq!(read("\"00:00:05:00\""), five_minutes);
        for interval in [ValCheckInterval::from(3), ValCheckInterval::Fraction(0.5), Every::Epochs(2).into()] {
            assert_eq!(interval.to_string().parse(), Ok(interval));
        }
    }
}
