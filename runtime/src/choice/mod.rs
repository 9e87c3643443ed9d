//! Hyperparameters that are one of several choices, each with fields of its own: `--encoder resnet --encoder.depth 18`.

mod choices;
mod flags;
mod help;
mod merge;
mod registry;
mod value;

pub(crate) use choices::Choices;
pub(crate) use flags::{ChoiceFlags, dashed, field_flags, name_flag, spellings};
pub(crate) use registry::{choices_of, choices_of_flag, describe};
pub use value::{parser, shown_value};

pub use tch_lightning_macros::Choice;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// An enumeration whose variants can be chosen by flags and configuration files, each with fields of its own.
///
/// `#[derive(Choice)]` implements it for an enumeration that serde serializes with a tag, such as `#[serde(tag = "name")]`. A field of
/// this type in the hyperparameters of a module or a data module is a flag with the name of a variant, and a flag for each field of
/// its variants:
///
/// ```
/// use clap::Args;
/// use serde::{Deserialize, Serialize};
/// use tch_lightning::Choice;
///
/// #[derive(Clone, Choice, Serialize, Deserialize)]
/// #[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
/// enum Encoder {
///     /// A residual network
///     Resnet {
///         /// The number of layers
///         #[serde(default = "eighteen")]
///         depth: i64,
///     },
///     /// A vision transformer
///     Vit {
///         /// The height and width of a patch in pixels
///         patch: i64,
///     },
/// }
///
/// fn eighteen() -> i64 {
///     18
/// }
///
/// #[derive(Args, Serialize, Deserialize)]
/// struct Hparams {
///     /// The encoder
///     #[arg(long, default_value = "resnet")]
///     encoder: Encoder,
/// }
/// ```
///
/// | | |
/// |---|---|
/// | on the command line | `--encoder vit --encoder.patch 16` |
/// | in a configuration file | `model: {encoder: {name: vit, patch: 16}}`, or `encoder: resnet` if every field has a default |
/// | in the form of Lightning's CLI | `encoder: {class_path: project.Vit, init_args: {patch: 16}}` |
///
/// Names may be written in any case, with dashes or underscores. Fields that are not given keep their value if the variant stays the
/// same, and have their defaults, those of serde, if another variant is chosen. `--help` lists the variants and their fields, with the
/// first paragraph of their documentation.
///
/// [`OptimizerConfig`](crate::optim::OptimizerConfig) and [`LrSchedulerConfig`](crate::schedule::LrSchedulerConfig) are choices.
// The attribute is for enumerations only, and requires a tag: see TL0607.
pub trait Choice: Serialize + DeserializeOwned + 'static {
    /// Returns the documentation of this value's variant, for `--help`.
    #[doc(hidden)]
    fn documentation(&self) -> Documentation;
}

/// The documentation of a variant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Documentation {
    /// The first paragraph of its documentation.
    pub about: &'static str,
    /// Its fields with the first paragraphs of theirs.
    pub fields: &'static [(&'static str, &'static str)],
}
