use crate::native::{NativeError, without_backtrace};
use std::io;
use std::path::PathBuf;
use tch::TchError;

/// An error of [`torchscript::trace`](crate::torchscript::trace) and of [`Trainer::to_torchscript`](crate::Trainer::to_torchscript).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TorchScriptError {
    /// The list of inputs is empty.
    #[error("a module is traced with inputs: give at least one tensor")]
    NoInputs,

    /// The computation returned no tensor.
    #[error("the computation to trace returned no tensor, and a traced module returns tensors")]
    NoOutputs,

    /// `predict_step` returns no tensors, or a type whose tensors are unknown.
    #[error(
        "`predict_step` returns `{prediction}`, in which no tensors are known: return tensors, or tuples, lists and maps of them, or write \
         `#[derive(Batch)]` above a struct of your own"
    )]
    NotTensors {
        /// The type of the predictions.
        prediction: &'static str,
    },

    /// A layer or a parameter has a name that TorchScript does not allow.
    #[error(
        "`{part}` of `{name}` cannot be a name in TorchScript: give the layer or the parameter another one, in ASCII letters and not a word of \
         Python"
    )]
    Name {
        /// The name of the parameter.
        name: String,
        /// The part of it.
        part: String,
    },

    /// The module's computation failed.
    #[error("the computation to trace failed: {0:#}")]
    Forward(anyhow::Error),

    /// libtorch cannot trace the computation.
    #[error("libtorch cannot trace the computation: {0}")]
    Trace(String),

    /// An output is a constant for the trace.
    #[error(
        "output {output} of the computation to trace does not depend on its inputs: compute it from them by operations of tensors"
    )]
    Constant {
        /// The output, from 0.
        output: usize,
    },

    /// The traced module computes something else than the module.
    #[error(
        "the traced module computes something else for the same inputs: {difference}; the computation depends on more than its \
         inputs, such as random numbers, a state, or numbers that were read from tensors"
    )]
    Differs {
        /// How the outputs differ.
        difference: String,
    },

    /// The traced module cannot be written.
    #[error("cannot write the traced module {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why it failed. Its sentence is part of this one, so that it is not a [`source`](std::error::Error::source).
        r#source: io::Error,
    },
}

impl TorchScriptError {
    /// Returns the error of a computation that fails while it is traced.
    pub(super) fn of_computation(error: anyhow::Error) -> Self {
        // libtorch's message has the values of the tensor
        if format!("{error:#}").contains("Cannot insert a Tensor that requires grad as a constant") {
            let advice = "it uses a tensor that was computed from a parameter before it, such as in `new`: compute that tensor within it";
            return Self::Trace(advice.to_owned());
        }
        Self::Forward(error)
    }
}

impl From<NativeError> for TorchScriptError {
    fn from(error: NativeError) -> Self {
        Self::Trace(without_backtrace(&error.to_string()).to_owned())
    }
}

impl From<TchError> for TorchScriptError {
    fn from(error: TchError) -> Self {
        let message = match error {
            TchError::Torch(message) => message,
            other => other.to_string(),
        };
        Self::Trace(without_backtrace(&message).to_owned())
    }
}
