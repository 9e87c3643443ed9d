//! What can be wrong with a checkpoint.

use super::LAYOUT;
use crate::mismatch::Mismatch;
use crate::native::without_backtrace;
use std::path::PathBuf;

/// A checkpoint that can't be written, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file can't be read.
    #[error("can't read the checkpoint {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file can't be written.
    #[error("can't write the checkpoint {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is no whole safetensors file.
    #[error("the checkpoint {} is damaged or cut short ({reason}): use an earlier one, or train again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A safetensors file of another program.
    #[error("{} is a safetensors file, but no checkpoint of tch-lightning: its header has no `tch_lightning`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer version of this crate.
    #[error("the checkpoint {} has layout {layout}, and this version reads up to {LAYOUT}: update tch-lightning", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        layout: u64,
    },
    /// The tensors are not those of the module.
    #[error("the checkpoint is of another module: {0}")]
    OtherModule(Mismatch),
    /// A tensor of a dtype that safetensors does not have.
    #[error("`{name}` is of dtype {kind:?}, which a checkpoint can't hold")]
    Dtype {
        /// The tensor's name.
        name: String,
        /// Its dtype.
        kind: tch::Kind,
    },
    /// libtorch refused to copy a tensor.
    #[error("libtorch: {}", without_backtrace(&.0.to_string()))]
    Torch(#[from] tch::TchError),
}
