//! Hyperparameters that are one of several choices, each with fields of its own: `--encoder resnet --encoder.depth 18`.

mod choices;
mod fields;
mod flags;
mod help;
mod merge;
mod registry;
mod source;
mod value;
mod written;

pub(crate) use choices::{Choices, plain};
pub(crate) use flags::{ChoiceFlags, dashed, field_flags, name_flag, spellings};
pub(crate) use registry::{choices_of, choices_of_flag, describe};
pub use value::{parser, shown_value};
pub(crate) use written::Written;

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
/// | with the name as the key | `encoder: {vit: {patch: 16}}` |
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

    /// Returns the first field that is missing or out of range, if there is one.
    #[doc(hidden)]
    fn mistake(&self) -> Option<FieldMistake> {
        None
    }
}

/// A field that is missing or out of range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMistake {
    /// The path of the field in the value, such as `lr` or `betas.0`. Empty for fields that do not fit together.
    pub field: String,
    /// The rest of the sentence, such as `must be 1 or more, but it is 0`.
    pub mistake: String,
}

impl FieldMistake {
    pub(crate) fn new(field: impl Into<String>, mistake: impl Into<String>) -> Self {
        Self { field: field.into(), mistake: mistake.into() }
    }

    /// Returns the sentence for a value that was created in code.
    pub(crate) fn in_code(&self, owner: &str) -> String {
        match self.field.as_str() {
            "" => format!("{owner}: {}", self.mistake),
            field => format!("`{field}` of {owner} {}", self.mistake),
        }
    }
}

/// The documentation of a variant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Documentation {
    /// The first paragraph of its documentation.
    pub about: &'static str,
    /// Its fields with the first paragraphs of theirs.
    pub fields: &'static [(&'static str, &'static str)],
}
