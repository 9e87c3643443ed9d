//! What can go wrong in a run, and where it did.

use crate::checkpoint::CheckpointError;
use crate::context::LogError;
use crate::data::DataError;
use crate::device::DeviceError;
use crate::hook::Hook;
use crate::native::{NativeError, without_backtrace};
use crate::optim::OptimizerError;
use crate::schedule::ScheduleError;
use crate::stage::Stage;
use std::fmt;
use std::path::PathBuf;

/// An error of a run. It says what went wrong, where, and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A hook of the module, of the data module or of a callback returned an error or panicked.
    #[error(transparent)]
    Hook(#[from] Box<HookError>),
    /// A verb needs a hook that is not there.
    #[error("`{stage}` needs `{hook}`: write it in the block of the module{}", if hook.is_dataloader() { " or the data module" } else { "" })]
    Missing {
        /// The verb that was called.
        stage: Stage,
        /// The hook that it needs.
        hook: Hook,
    },
    /// A method of manual optimization was called elsewhere than in `training_step`.
    #[error("`ctx.{method}` was called elsewhere than in `training_step`, where manual optimization has its place")]
    NotInTrainingStep {
        /// The method.
        method: &'static str,
    },
    /// The trainer's configuration makes no sense; every mistake is listed.
    #[error("{0}")]
    Configuration(String),
    /// The device asked for can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A loader failed.
    #[error("the loader of `{dataloader}`: {source}")]
    Data {
        /// The hook that made the loader.
        dataloader: Hook,
        /// Why it failed.
        source: DataError,
    },
    /// A logged value could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An optimizer could not be made or could not step.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// A learning-rate scheduler could not be made or could not step.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// libtorch refused an operation of the trainer's own.
    #[error("libtorch: {}", without_backtrace(&.0.to_string()))]
    Torch(#[from] tch::TchError),
    /// libtorch refused an operation of the trainer's own that tch does not bind.
    #[error("libtorch: {0}")]
    Native(#[from] NativeError),
    /// A file of the run could not be written or read.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried: `can't write the log`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// An error or a panic inside a hook, with its place.
#[derive(Debug, thiserror::Error)]
pub struct HookError {
    /// The hook.
    pub hook: Hook,
    /// The callback whose hook it is; `None` for the module's and the data module's own.
    pub callback: Option<&'static str>,
    /// The verb that was running.
    pub stage: Stage,
    /// The training epoch, from 0, where one was running.
    pub epoch: Option<usize>,
    /// The batch, from 0, where one was being worked on.
    pub batch_idx: Option<usize>,
    /// What the hook returned, or what its panic said. Its sentence is part of this one, so that it is no
    /// [`source`](std::error::Error::source).
    pub error: anyhow::Error,
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, stage, .. } = self;
        write!(f, "`{hook}`")?;
        if let Some(callback) = self.callback {
            write!(f, " of the callback {callback}")?;
        }
        write!(f, " failed in `{stage}`")?;
        match (self.epoch, self.batch_idx) {
            (Some(epoch), Some(batch_idx)) => write!(f, " at epoch {epoch}, batch {batch_idx}")?,
            (Some(epoch), None) => write!(f, " at epoch {epoch}")?,
            (None, Some(batch_idx)) => write!(f, " at batch {batch_idx}")?,
            (None, None) => {}
        }
        write!(f, ": {}", in_one_line(&self.error))
    }
}

/// A whole error and what caused it, in one line.
pub(crate) fn in_one_line(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = without_backtrace(&cause.to_string()).replace('\n', " ");
        // transparent errors repeat what they wrap
        if parts.last().is_none_or(|last| !last.ends_with(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_and_its_causes_fit_in_a_line() {
        let error = anyhow::anyhow!("no such row").context("can't read the data");
        assert_eq!(in_one_line(&error), "can't read the data: no such row");
    }
}
