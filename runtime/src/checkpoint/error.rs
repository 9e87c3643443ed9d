//! The errors of checkpoints.

use super::layout::LONGEST_HEADER;
use super::{ChangedHyperparameter, LAYOUT};
use crate::mismatch::{Mismatch, first_of};
use crate::native::without_backtrace;
use crate::shown::shown;
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};

/// An error of writing, reading or using a checkpoint. `Display` includes the cause, so
/// [`source`](std::error::Error::source) returns `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read the checkpoint {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        r#source: io::Error,
    },
    /// The path is not a file.
    #[error("cannot read the checkpoint {}: it is {what}, not a file", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// A description of what it is.
        what: &'static str,
    },
    /// The file cannot be written.
    #[error("cannot write the checkpoint {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        r#source: io::Error,
    },
    /// An older checkpoint cannot be removed.
    #[error("cannot remove the older checkpoint {}: {source}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The cause.
        r#source: io::Error,
    },
    /// A link to a checkpoint cannot be created.
    #[error("cannot create the link {}: {source}", path.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// The cause.
        r#source: io::Error,
    },
    /// The thread that writes checkpoints panicked.
    #[error("cannot write the checkpoint {}: {reason}", path.display())]
    Panicked {
        /// The file.
        path: PathBuf,
        /// The message of the panic.
        reason: String,
    },
    /// The file is not a complete safetensors file, or its checksum is wrong.
    #[error("the checkpoint {} is damaged or truncated ({reason}): use an earlier one, or train again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A file of weights, which may be of another program, is not complete, or its checksum is wrong.
    #[error("{} is damaged or truncated ({reason}): copy or download it again", path.display())]
    DamagedWeights {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A tensor of the file is of a dtype that no tensor of tch has.
    #[error("cannot read {}: `{name}` is of dtype {dtype}, which no tensor of tch has: convert it in Python", path.display())]
    ForeignDtype {
        /// The file.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
        /// Its dtype, as the file names it: `U16`.
        dtype: String,
    },
    /// The file is something else than weights, such as a pointer of Git LFS.
    #[error("{} has no weights: {what}", path.display())]
    NoWeights {
        /// The file.
        path: PathBuf,
        /// What it is, with what to do.
        what: String,
    },
    /// The file is one of TorchScript, which `torch.jit.save` and tch's `VarStore::save` write.
    #[error(
        "cannot read {}: it is a file of TorchScript: that of tch's `vs.save(\"model.ot\")` is read by `vs.load`, after which \
         `weights::save` writes the weights; for one of `torch.jit.save`, write them in Python by \
         `torch.save(torch.jit.load(\"model.pt\").state_dict(), \"model.pth\")`",
        path.display()
    )]
    TorchScript {
        /// The file.
        path: PathBuf,
    },
    /// The checkpoint has an optimizer whose state has another form in PyTorch.
    #[error("cannot write {} for Lightning: the state of L-BFGS has another form in PyTorch; write the weights alone, with `--weights`", path.display())]
    NotForLightning {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by `torch.save`, but not by Lightning.
    #[error(
        "{} is a file of `torch.save`, but not a checkpoint of PyTorch Lightning, so that a run cannot resume from it: load its weights \
         into the module with `weights::open`, and start a new training",
        path.display()
    )]
    Pickle {
        /// The file.
        path: PathBuf,
    },
    /// The contents of a file of `torch.save` cannot be read.
    #[error("cannot read {}, a file of `torch.save`: {reason}", path.display())]
    OfTorchSave {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The index of a model in several safetensors files is not valid.
    #[error("{} is not an index of safetensors files: {reason}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The selection or the renaming of weights cannot be applied.
    #[error("cannot load weights: {reason}")]
    Selection {
        /// The reason, with what to write.
        reason: String,
    },
    /// The safetensors file was written by another program.
    #[error("{} is a safetensors file, but not a checkpoint of tch-lightning: its header does not have `tch_lightning`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version of this crate.
    #[error("the checkpoint {} has layout {layout}, but this version only reads layouts up to {LAYOUT}: update tch-lightning", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        layout: u64,
    },
    /// The tensors are not those of the module.
    #[error("the checkpoint{} does not fit the module: {mismatch}{}", with_space(path.as_deref()), of_hyperparameters(hyper_parameters))]
    OtherModule {
        /// The file, if it was read from one.
        path: Option<PathBuf>,
        /// The differences.
        mismatch: Box<Mismatch>,
        /// The hyperparameters that have other values than in the checkpoint, which may be the cause.
        hyper_parameters: Vec<ChangedHyperparameter>,
    },
    /// The module has other frozen parameters than the run of a checkpoint that does not contain them.
    #[error(
        "the checkpoint{} does not contain the frozen parameters of its run, and the module has other values for them: construct the \
         module with the same pretrained weights; they are {}",
        with_space(path.as_deref()), first_of(parameters)
    )]
    OtherFrozen {
        /// The file, if it was read from one.
        path: Option<PathBuf>,
        /// The names of the parameters.
        parameters: Vec<String>,
    },
    /// A checkpoint without frozen parameters cannot be exported.
    #[error(
        "the checkpoint does not contain the frozen parameters of its run, so that it cannot be exported: load it into the module, and \
         write its weights by `weights::save`; they are {}",
        first_of(parameters)
    )]
    WithoutFrozen {
        /// The names of the parameters.
        parameters: Vec<String>,
    },
    /// The checkpoint lacks the optimizers and counters from which `fit` resumes.
    #[error(
        "the checkpoint {} contains only weights (`save_weights_only`), so `fit` cannot resume from it: set `resume` to weights, for \
         a new run that begins with them, or resume from a complete checkpoint",
        path.display()
    )]
    WeightsAlone {
        /// The file.
        path: PathBuf,
    },
    /// The checkpoint belongs to a run with other optimizers, schedulers or precision.
    #[error("the checkpoint {} does not fit this run: {reason}", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// The difference between the checkpoint and the run.
        reason: String,
    },
    /// A tensor has a dtype that safetensors does not support.
    #[error("`{name}` is of dtype {kind:?}, which a checkpoint cannot contain")]
    Dtype {
        /// The tensor's name.
        name: String,
        /// Its dtype.
        kind: tch::Kind,
    },
    /// The metadata cannot be written, or not be read again.
    #[error("cannot read back the metadata of a checkpoint: {reason}")]
    Metadata {
        /// The reason.
        reason: String,
    },
    /// The header would be longer than safetensors allows.
    #[error(
        "the names and the metadata of a checkpoint take {length} bytes, but safetensors allows {LONGEST_HEADER}: store large state as tensors"
    )]
    LongHeader {
        /// The header's length.
        length: usize,
    },
    /// A tensor has the name that safetensors reserves.
    #[error("a checkpoint cannot contain a tensor with the name `__metadata__`, which safetensors reserves")]
    Reserved,
    /// libtorch failed to copy a tensor.
    #[error("libtorch: {}", without_backtrace(&.0.to_string()))]
    Torch(tch::TchError),
}

fn with_space(path: Option<&Path>) -> String {
    path.map_or(String::new(), |path| format!(" {}", path.display()))
}

fn of_hyperparameters(changed: &[ChangedHyperparameter]) -> String {
    if changed.is_empty() { String::new() } else { format!("; hyperparameters differ: {}", first_of(changed)) }
}

impl From<tch::TchError> for CheckpointError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error)
    }
}

impl CheckpointError {
    /// Adds the path from which the checkpoint was read.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        match self {
            Self::OtherModule { mismatch, hyper_parameters, .. } => {
                Self::OtherModule { path: Some(path.to_owned()), mismatch, hyper_parameters }
            }
            Self::OtherFrozen { parameters, .. } => Self::OtherFrozen { path: Some(path.to_owned()), parameters },
            other => other,
        }
    }

    /// Adds the hyperparameters in which the checkpoint and the module differ.
    pub(crate) fn with_hyper_parameters(self, saved: Option<&Value>, current: Option<&Value>) -> Self {
        match (self, saved, current) {
            (Self::OtherModule { path, mismatch, .. }, Some(saved), Some(current)) => {
                let hyper_parameters = ChangedHyperparameter::all_of(saved, current);
                Self::OtherModule { path, mismatch, hyper_parameters }
            }
            (other, ..) => other,
        }
    }

    /// Returns the error of a file of weights, which another training does not bring back.
    pub(super) fn of_weights(self) -> Self {
        match self {
            Self::Damaged { path, reason } => Self::DamagedWeights { path, reason },
            other => other,
        }
    }

    pub(super) fn damaged(path: &Path, reason: String) -> Self {
        Self::Damaged { path: path.to_owned(), reason: shown(&reason, 500) }
    }

    /// Returns the error of writing to `path`, or the error of libtorch inside of it.
    pub(super) fn of_writing(error: io::Error, path: &Path) -> Self {
        let write = |source| Self::Write { path: path.to_owned(), source };
        error.downcast::<Self>().unwrap_or_else(write)
    }
}
