use tch::TchError;

use crate::native::without_backtrace;

/// An error of [`trace`](super::trace).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorchScriptError {
    /// [`trace`](super::trace) was called without inputs.
    #[error("a module is traced with inputs: give at least one tensor")]
    NoInputs,

    /// The module's computation failed.
    #[error("the computation to trace failed: {0:#}")]
    Forward(anyhow::Error),

    /// libtorch cannot trace the computation.
    #[error("libtorch cannot trace the computation: {0}")]
    Trace(String),

    /// The traced module computes something else than the module.
    #[error(
        "the traced module computes something else for the same inputs: {difference}; the computation depends on more than its \
         inputs, such as random numbers or a state"
    )]
    Differs {
        /// How the outputs differ.
        difference: String,
    },
}

impl TorchScriptError {
    pub(super) fn trace(error: TchError) -> Self {
        let message = match error {
            TchError::Torch(message) => message,
            other => other.to_string(),
        };
        Self::Trace(without_backtrace(&message).to_owned())
    }
}
