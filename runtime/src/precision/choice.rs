use crate::data::Batch;
use crate::native::{Autocast, AutocastDtype, NativeError};
use clap::ValueEnum;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use tch::nn::VarStore;
use tch::{Device, Kind, TchError};

/// The dtypes of a run's computations. Lightning's
/// [`precision`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#precision), with its names.
///
/// `…-true`: floating-point parameters, buffers and batches are converted to that dtype.
/// `…-mixed`: parameters are not converted, and the steps run under
/// [autocast](https://docs.pytorch.org/docs/2.13/amp.html), which selects the dtype of each operator; the backward pass and
/// the optimizer run outside it.
///
/// `16-mixed` uses float16 on the CPU too, where Lightning replaces it with `bf16-mixed`. L-BFGS does not support it, because
/// its steps cannot be skipped.
///
/// Tensors created by a step have the dtype that the step specifies: tch does not have a default dtype.
///
/// ```
/// use tch_lightning::{precision::Precision, TrainerConfig};
///
/// let config: TrainerConfig = tch_lightning::serde_json::from_str(r#"{ "precision": "bf16-mixed" }"#)?;
/// assert_eq!(config.precision, Precision::BFloat16Mixed);
/// assert_eq!("16".parse::<Precision>()?, Precision::Float16Mixed);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[non_exhaustive]
pub enum Precision {
    /// Float32; nothing is converted. Also `32`.
    #[default]
    #[value(name = "32-true", alias = "32")]
    #[serde(rename = "32-true")]
    Float32True,
    /// Float64. Also `64`.
    #[value(name = "64-true", alias = "64")]
    #[serde(rename = "64-true")]
    Float64True,
    /// Bfloat16: float32's range in half its memory, with 8 bits of precision.
    #[value(name = "bf16-true")]
    #[serde(rename = "bf16-true")]
    BFloat16True,
    /// Float16. Gradients below 6e-8 are lost: training needs a loss of a suitable size.
    #[value(name = "16-true")]
    #[serde(rename = "16-true")]
    Float16True,
    /// Steps under autocast to bfloat16. Also `bf16`.
    #[value(name = "bf16-mixed", alias = "bf16")]
    #[serde(rename = "bf16-mixed")]
    BFloat16Mixed,
    /// Steps under autocast to float16, with the loss scaled by a `GradScaler`. Also `16`.
    #[value(name = "16-mixed", alias = "16")]
    #[serde(rename = "16-mixed")]
    Float16Mixed,
}

impl Precision {
    /// Returns the dtype to which floating-point numbers are converted, if they are.
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Float64True => Some(Kind::Double),
            Self::BFloat16True => Some(Kind::BFloat16),
            Self::Float16True => Some(Kind::Half),
            Self::Float32True | Self::BFloat16Mixed | Self::Float16Mixed => None,
        }
    }

    fn autocast_dtype(self) -> Option<AutocastDtype> {
        match self {
            Self::BFloat16Mixed => Some(AutocastDtype::BFloat16),
            Self::Float16Mixed => Some(AutocastDtype::Float16),
            Self::Float32True | Self::Float64True | Self::BFloat16True | Self::Float16True => None,
        }
    }

    /// Whether the loss is scaled for the backward pass.
    pub(crate) fn scales_loss(self) -> bool {
        self == Self::Float16Mixed
    }

    /// Converts a module's parameters and buffers.
    ///
    /// # Panics
    /// If the conversion fails in libtorch, as in tch.
    pub(crate) fn convert_module(self, store: &mut VarStore) {
        match self.kind() {
            Some(Kind::Double) => store.double(),
            Some(Kind::BFloat16) => store.bfloat16(),
            Some(Kind::Half) => store.half(),
            _ => {}
        }
    }

    /// Converts a batch.
    pub(crate) fn convert_input<B: Batch>(self, batch: B) -> Result<B, TchError> {
        let Some(kind) = self.kind() else { return Ok(batch) };
        batch.map_tensors(&mut |tensor| if tensor.is_floating_point() { tensor.f_to_kind(kind) } else { Ok(tensor) })
    }

    /// Enables the autocast of a step for the lifetime of the guard.
    pub(crate) fn autocast(self, device: Device) -> Result<Option<Autocast>, NativeError> {
        self.autocast_dtype().map(|dtype| Autocast::to(dtype, device)).transpose()
    }

    /// Suspends the autocast of a step for the lifetime of the guard.
    pub(crate) fn suspend_autocast(self, device: Device) -> Result<Option<Autocast>, NativeError> {
        self.autocast_dtype().map(|_| Autocast::suspended(device)).transpose()
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The error for text that is not the name of a [`Precision`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a precision: choose one of {}", names())]
pub struct UnknownPrecision {
    /// The unknown name.
    pub name: String,
}

fn names() -> String {
    let names: Vec<String> = Precision::value_variants().iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// Parses any of the names, such as `bf16-mixed`, or `32` for `32-true`.
impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        <Self as ValueEnum>::from_str(name, false).map_err(|_| UnknownPrecision { name: name.to_owned() })
    }
}

/// Accepts any of the names; `64`, `32` and `16` may be numbers, as in Lightning.
impl<'de> Deserialize<'de> for Precision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write a precision, such as `32-true` or `bf16-mixed`")]
        enum Written {
            Name(String),
            Bits(u32),
        }
        let name = match Written::deserialize(deserializer)? {
            Written::Name(name) => name,
            Written::Bits(bits) => bits.to_string(),
        };
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_is_parsed_as_by_lightning() {
        let read = |text: &str| serde_json::from_str::<Precision>(text).unwrap();
        let names = ["32-true", "64-true", "bf16-true", "16-true", "bf16-mixed", "16-mixed"];
        for (precision, name) in Precision::value_variants().iter().zip(names) {
            assert_eq!(precision.to_string(), name);
            assert_eq!(read(&format!("\"{name}\"")), *precision);
        }
        assert_eq!(
            ["32", "64", "16", "\"32\"", "\"64\"", "\"16\"", "\"bf16\""]
                .map(read)
                .map(|precision| precision.to_string()),
            ["32-true", "64-true", "16-mixed", "32-true", "64-true", "16-mixed", "bf16-mixed"]
        );
        let error = serde_json::from_str::<Precision>("\"8-true\"").unwrap_err().to_string();
        assert!(
            error.starts_with(
                "`8-true` is not a precision: choose one of 32-true, 64-true, bf16-true, 16-true, bf16-mixed, 16-mixed"
            ),
            "{error}"
        );
    }
}
