use crate::checkpoint::CheckpointError;
use crate::file_error::FileError;
use crate::mismatch::first_of;
use std::path::PathBuf;

/// An error of adapters. `Display` includes the cause, so [`source`](std::error::Error::source) returns `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoraError {
    /// A setting is outside its range.
    #[error("LoRA: {name} must be {expected}, but it is {value}")]
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// The invalid value.
        value: f64,
        /// A description of the valid values.
        expected: &'static str,
    },
    /// A pattern cannot be parsed.
    #[error("{reason}")]
    Pattern {
        /// The pattern with what is wrong with it.
        reason: String,
    },
    /// The patterns match no linear layer.
    #[error(
        "LoRA: no layer has an adapter: the paths of the layers made by `LoraLinear::new` do not match {}; the parameters are {}",
        quoted(patterns),
        first_of(parameters)
    )]
    NoAdapter {
        /// The patterns of the paths.
        patterns: Vec<String>,
        /// The names of the module's parameters.
        parameters: Vec<String>,
    },
    /// A pattern of `modules_to_save` matches no module.
    #[error("LoRA: no module matches `{pattern}` of `modules_to_save`; the parameters are {}", first_of(parameters))]
    NoModule {
        /// The pattern.
        pattern: String,
        /// The names of the module's parameters.
        parameters: Vec<String>,
    },
    /// The settings in `adapter_config.json` are not those of an adapter that this crate has.
    #[error("cannot use the adapter in {}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A file of the adapter cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file of the weights cannot be read or written, or does not fit the module.
    #[error(transparent)]
    Weights(#[from] CheckpointError),
    /// libtorch failed to compute the merged weights.
    #[error(transparent)]
    Torch(#[from] tch::TchError),
}

fn quoted(patterns: &[String]) -> String {
    let quoted: Vec<String> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
    first_of(&quoted)
}
