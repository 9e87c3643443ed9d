use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Whether operators must have a deterministic algorithm. Lightning's
/// [`deterministic`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#deterministic), and PyTorch's
/// [`use_deterministic_algorithms`](https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html), which lists
/// the operators.
///
/// The setting holds for the process from the start of the first run with it, as in Lightning; `Off` leaves it as it is. On a GPU, cuBLAS
/// also requires the environment variable `CUBLAS_WORKSPACE_CONFIG=:4096:8` or `:16:8`, set before the program starts: without it, a
/// matrix multiplication is an error that says so.
///
/// ```
/// use tch_lightning::TrainerConfig;
/// use tch_lightning::trainer::Deterministic;
///
/// assert_eq!(TrainerConfig::from_yaml("deterministic: warn")?.deterministic, Deterministic::Warn);
/// assert_eq!(TrainerConfig::default().deterministic(true).deterministic, Deterministic::On);
/// # Ok::<(), tch_lightning::errors::ConfigurationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deterministic {
    /// `false`: operators may take faster algorithms that are not deterministic.
    #[default]
    Off,
    /// `true`: an operator without a deterministic algorithm is an error.
    On,
    /// `warn`: an operator without a deterministic algorithm is a warning.
    Warn,
}

impl From<bool> for Deterministic {
    fn from(is_on: bool) -> Self {
        if is_on { Self::On } else { Self::Off }
    }
}

impl fmt::Display for Deterministic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "false",
            Self::On => "true",
            Self::Warn => "warn",
        })
    }
}

impl FromStr for Deterministic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "warn" => Ok(Self::Warn),
            flag => flag.parse::<bool>().map(Self::from).map_err(|_| "write true, false or warn".to_owned()),
        }
    }
}

impl Serialize for Deterministic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_bool(false),
            Self::On => serializer.serialize_bool(true),
            Self::Warn => serializer.serialize_str("warn"),
        }
    }
}

impl<'de> Deserialize<'de> for Deterministic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write true, false or warn")]
        enum Written {
            Flag(bool),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Flag(is_on) => Ok(is_on.into()),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}
