use std::io;
use std::path::PathBuf;
use tch::Device;

/// An error of [`AotInductorModel`](super::AotInductorModel). `Display` includes the cause, so [`source`](std::error::Error::source) returns `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AotInductorError {
    /// The file cannot be read.
    #[error("cannot read the AOTInductor package {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        r#source: io::Error,
    },

    /// The file is something else.
    #[error(
        "{} is not an AOTInductor package: {reason}; `torch._inductor.aoti_compile_and_package` writes one in Python",
        path.display()
    )]
    NotAPackage {
        /// The file.
        path: PathBuf,
        /// What shows it.
        reason: String,
    },

    /// The package cannot be extracted.
    #[error(
        "cannot extract the AOTInductor package {} into a folder of {}: {source}",
        path.display(),
        tempfile::env::temp_dir().display()
    )]
    Extract {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        r#source: io::Error,
    },

    /// The model cannot run on the device.
    #[error("the AOTInductor model {} cannot run on {device:?}: {reason}", path.display())]
    Device {
        /// The file.
        path: PathBuf,
        /// The device.
        device: Device,
        /// Why it cannot.
        reason: String,
    },

    /// The processor lacks instructions of the compiled code.
    #[error(
        "the AOTInductor model {} is compiled for processors with {instructions}, which this one does not have: compile it on this machine",
        path.display()
    )]
    Processor {
        /// The file.
        path: PathBuf,
        /// The name of the instructions.
        instructions: &'static str,
    },

    /// libtorch cannot load the compiled code.
    #[error(
        "libtorch cannot load the AOTInductor model {}: {reason}; compile it by PyTorch {}, on a machine of this kind",
        path.display(),
        crate::device::libtorch_version()
    )]
    Load {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        reason: String,
    },

    /// The outputs cannot be computed, in most cases because the inputs are not those of the export.
    #[error(
        "the AOTInductor model {} failed for the inputs ({}): {reason}; it takes inputs with the dtypes, shapes and strides of its export",
        path.display(),
        inputs.join(", ")
    )]
    Forward {
        /// The file.
        path: PathBuf,
        /// The dtype and the shape of each input.
        inputs: Vec<String>,
        /// Why it failed.
        reason: String,
    },
}
