//! What can be wrong with a checkpoint.

use super::LAYOUT;
use super::layout::LONGEST_HEADER;
use crate::mismatch::Mismatch;
use crate::native::without_backtrace;
use crate::shown::shown;
use std::io;
use std::path::{Path, PathBuf};

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
        source: io::Error,
    },
    /// There is something else than a file.
    #[error("can't read the checkpoint {}: it is {what}, not a file", path.display())]
    NoFile {
        /// Where.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The file can't be written.
    #[error("can't write the checkpoint {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An older checkpoint can't be removed.
    #[error("can't remove the older checkpoint {}: {source}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A link to a checkpoint can't be made.
    #[error("can't make the link {}: {source}", path.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The thread that writes checkpoints panicked.
    #[error("can't write the checkpoint {}: {reason}", path.display())]
    Panicked {
        /// The file.
        path: PathBuf,
        /// What the panic said.
        reason: String,
    },
    /// The file is no whole safetensors file, or its checksum is wrong.
    #[error("the checkpoint {} is damaged or cut short ({reason}): use an earlier one, or train again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A file of `torch.save`, Lightning's checkpoints among them.
    #[error("{} is a checkpoint of PyTorch, a pickle, which can run code and is not read: write its weights as .safetensors in Python, with `safetensors.torch.save_file(model.state_dict(), ...)`", path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
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
    #[error("the checkpoint{} is of another module: {mismatch}", path.as_ref().map_or(String::new(), |path| format!(" {}", path.display())))]
    OtherModule {
        /// The file, where it was read from one.
        path: Option<PathBuf>,
        /// In what they differ.
        mismatch: Box<Mismatch>,
    },
    /// The checkpoint lacks the optimizers and counters from which `fit` resumes.
    #[error(
        "the checkpoint {} contains only weights, as `save_weights_only` saves them, so that `fit` can't resume from it: load them into \
         the module with `weights::load` and train from the beginning, or resume from a checkpoint that has the optimizers too",
        path.display()
    )]
    WeightsAlone {
        /// The file.
        path: PathBuf,
    },
    /// It is of a run with other optimizers, schedulers or precision.
    #[error("the checkpoint {} does not fit this run: {reason}", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What it has, and what the run has.
        reason: String,
    },
    /// A tensor of a dtype that safetensors does not have.
    #[error("`{name}` is of dtype {kind:?}, which a checkpoint can't hold")]
    Dtype {
        /// The tensor's name.
        name: String,
        /// Its dtype.
        kind: tch::Kind,
    },
    /// The metadata can't be written, or could not be read again.
    #[error("the metadata of a checkpoint could not be read again: {reason}")]
    Metadata {
        /// What JSON can't hold.
        reason: String,
    },
    /// The header would be longer than safetensors allows.
    #[error(
        "the names and the metadata of a checkpoint take {length} bytes, and safetensors allows {LONGEST_HEADER}: keep large state as tensors"
    )]
    LongHeader {
        /// The header's length.
        length: usize,
    },
    /// A tensor with the one name that safetensors keeps for itself.
    #[error("a checkpoint can't hold a tensor with the name `__metadata__`, which safetensors keeps for itself")]
    Reserved,
    /// libtorch refused to copy a tensor.
    #[error("libtorch: {}", without_backtrace(&.0.to_string()))]
    Torch(#[from] tch::TchError),
}

impl CheckpointError {
    /// The error of a checkpoint that was read from `path`.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        match self {
            Self::OtherModule { mismatch, .. } => Self::OtherModule { path: Some(path.to_owned()), mismatch },
            other => other,
        }
    }

    pub(super) fn damaged(path: &Path, reason: String) -> Self {
        Self::Damaged { path: path.to_owned(), reason: shown(&reason, 500) }
    }

    /// The error of writing to `path`, or the one of libtorch that stopped it.
    pub(super) fn of_writing(error: io::Error, path: &Path) -> Self {
        let write = |source| Self::Write { path: path.to_owned(), source };
        error.downcast::<Self>().unwrap_or_else(write)
    }
}
