use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A run of a few batches through every loop, to find mistakes. Lightning's `fast_dev_run`: a number of batches, or true for
/// one.
///
/// Nothing is logged and no checkpoint is written; there is one epoch, and no sanity check.
///
/// ```
/// use tch_lightning::trainer::FastDevRun;
///
/// assert_eq!("true".parse(), Ok(FastDevRun(1)));
/// assert_eq!(FastDevRun::default(), FastDevRun(0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FastDevRun(
    /// The number of batches; 0 is an ordinary run.
    pub usize,
);

impl FastDevRun {
    /// Returns the number of batches of each loop; `None` in an ordinary run.
    pub fn batches(self) -> Option<usize> {
        (self.0 > 0).then_some(self.0)
    }
}

impl From<bool> for FastDevRun {
    fn from(fast: bool) -> Self {
        Self(usize::from(fast))
    }
}

impl From<usize> for FastDevRun {
    fn from(batches: usize) -> Self {
        Self(batches)
    }
}

impl fmt::Display for FastDevRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("false"),
            batches => batches.fmt(f),
        }
    }
}

impl FromStr for FastDevRun {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let flag = text.parse::<bool>().map(Self::from);
        flag.or_else(|_| text.parse().map(Self)).map_err(|_| "write true, false, or a number of batches".to_owned())
    }
}

impl Serialize for FastDevRun {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_bool(false),
            batches => batches.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for FastDevRun {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write true, false, or a number of batches")]
        enum Written {
            Flag(bool),
            Batches(usize),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Flag(fast) => fast.into(),
            Written::Batches(batches) => Self(batches),
        })
    }
}
