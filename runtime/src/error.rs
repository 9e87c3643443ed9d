//! What can go wrong in a run, and where it did.

use crate::checkpoint::CheckpointError;
use crate::config::ConfigurationError;
use crate::context::LogError;
use crate::data::DataError;
use crate::device::DeviceError;
use crate::hook::Hook;
use crate::native::{NativeError, readable};
use crate::optim::OptimizerError;
use crate::schedule::ScheduleError;
use crate::shown::shown;
use crate::signal::Signal;
use crate::stage::{RunningStage, Stage};
use std::fmt;
use std::path::{Path, PathBuf};

/// An error of a run. It says what went wrong, where, and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A hook of the module, of the data module or of a callback returned an error or panicked.
    #[error(transparent)]
    Hook(#[from] Box<HookError>),
    /// A signal asked the run to end, which it did after the running step, or at once where it waited for a worker.
    #[error(
        "interrupted by {signal}{}{}{}",
        in_loop(*running_stage, *epoch, *batch_idx),
        waiting_for.as_ref().map(|item| format!(", while {item}")).unwrap_or_default(),
        ways_on(*stage, checkpoint.as_deref())
    )]
    Interrupted {
        /// The signal.
        signal: Signal,
        /// The verb that was running.
        stage: Stage,
        /// What it was doing, and so whose batch `batch_idx` is.
        running_stage: RunningStage,
        /// The training epoch, from 0, where one was running.
        epoch: Option<usize>,
        /// The last batch that was worked on, from 0.
        batch_idx: Option<usize>,
        /// Which worker of a loader was waited for, and what it was reading.
        waiting_for: Option<String>,
        /// The newest checkpoint of the run: that of its end, if one was asked for.
        checkpoint: Option<PathBuf>,
    },
    /// The loss was NaN or infinite, and [`on_non_finite_loss`](crate::TrainerConfig::on_non_finite_loss) is
    /// [`Stop`](crate::NonFiniteLoss::Stop).
    #[error(
        "the loss was {loss} at epoch {epoch}, batch {batch_idx}: a lower learning rate, `gradient_clip_val` or \
         `detect_anomaly` may help, and `on_non_finite_loss` can skip such steps or go on"
    )]
    NonFiniteLoss {
        /// The training epoch, from 0.
        epoch: usize,
        /// The batch, from 0.
        batch_idx: usize,
        /// The loss.
        loss: f64,
    },
    /// A gradient or a parameter was NaN or infinite, which [`detect_anomaly`](crate::TrainerConfig::detect_anomaly) looks for.
    #[error(
        "{what} `{parameter}` has {} at epoch {epoch}, batch {batch_idx}",
        of_elements(*non_finite, *elements)
    )]
    Anomaly {
        /// `the gradient of` or `the parameter`.
        what: &'static str,
        /// The first such parameter, in the order in which they were made.
        parameter: String,
        /// How many elements are NaN or infinite.
        non_finite: i64,
        /// How many elements there are.
        elements: i64,
        /// The training epoch, from 0.
        epoch: usize,
        /// The batch, from 0.
        batch_idx: usize,
    },
    /// Something panicked outside of the hooks: a logger, a batch's own methods.
    #[error("`{stage}` panicked{}: {message}", in_loop(*running_stage, *epoch, *batch_idx))]
    Panic {
        /// The verb that was running.
        stage: Stage,
        /// What it was doing, and so whose batch `batch_idx` is.
        running_stage: RunningStage,
        /// The training epoch, from 0, where one was running.
        epoch: Option<usize>,
        /// The batch, from 0, where one was being worked on.
        batch_idx: Option<usize>,
        /// What the panic said.
        message: String,
    },
    /// A verb needs a hook that is not there.
    #[error("`{stage}` needs `{hook}`: write it in the block of the module{}", if hook.is_dataloader() { " or the data module" } else { "" })]
    Missing {
        /// The verb that was called.
        stage: Stage,
        /// The hook that it needs.
        hook: Hook,
    },
    /// A method of manual optimization was called elsewhere than in `training_step`.
    #[error("`ctx.{method}` can only be called from `training_step`")]
    NotInTrainingStep {
        /// The method.
        method: &'static str,
    },
    /// The configuration of the trainer, a callback or a loader is invalid, or does not fit the run. The text lists every
    /// mistake.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The device asked for can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A loader has nothing to train on.
    #[error(
        "the loader of `{dataloader}` has no batch{}: check that its data is there, and with `drop_last` that it fills one batch",
        at(*epoch, None)
    )]
    NoBatch {
        /// The hook that made the loader.
        dataloader: Hook,
        /// The epoch; `None` where the loader says so before any epoch.
        epoch: Option<usize>,
    },
    /// A loader failed.
    #[error("the loader of `{dataloader}` failed{}: {source}", at(*epoch, *batch_idx))]
    Data {
        /// The hook that made the loader.
        dataloader: Hook,
        /// The training epoch, from 0, where its batches were asked for.
        epoch: Option<usize>,
        /// The batch that was asked for, from 0; `None` where the loader could not begin.
        batch_idx: Option<usize>,
        /// Why it failed. Its sentence is part of this one, so that it is no [`source`](std::error::Error::source).
        r#source: DataError,
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
    #[error("libtorch: {}", readable(&.0.to_string()))]
    Torch(#[from] tch::TchError),
    /// libtorch refused an operation of the trainer's own that tch does not bind.
    #[error("libtorch: {}", readable(&.0.to_string()))]
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

impl Error {
    /// Returns [`Error::Configuration`] with this text.
    pub(crate) fn configuration(mistake: impl Into<ConfigurationError>) -> Self {
        Self::Configuration(mistake.into())
    }
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
        let Self { hook, callback, stage, epoch, batch_idx, error } = self;
        let location =
            HookLocation { hook: *hook, callback: *callback, stage: *stage, epoch: *epoch, batch_idx: *batch_idx };
        write!(f, "{location}: {}", in_one_line(error))
    }
}

/// Which hook failed, and where in the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HookLocation {
    pub(crate) hook: Hook,
    pub(crate) callback: Option<&'static str>,
    pub(crate) stage: Stage,
    pub(crate) epoch: Option<usize>,
    pub(crate) batch_idx: Option<usize>,
}

impl fmt::Display for HookLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, stage, .. } = self;
        write!(f, "`{hook}`")?;
        if let Some(callback) = self.callback {
            write!(f, " of the callback {callback}")?;
        }
        write!(f, " failed in `{stage}`{}", at(self.epoch, self.batch_idx))
    }
}

/// The place in a run, as far as it is known, to be put behind what happened there.
fn at(epoch: Option<usize>, batch_idx: Option<usize>) -> String {
    match (epoch, batch_idx) {
        (Some(epoch), Some(batch_idx)) => format!(" at epoch {epoch}, batch {batch_idx}"),
        (Some(epoch), None) => format!(" at epoch {epoch}"),
        (None, Some(batch_idx)) => format!(" at batch {batch_idx}"),
        (None, None) => String::new(),
    }
}

/// As [`at`], where the batch may be one of the validation within training.
fn in_loop(running_stage: RunningStage, epoch: Option<usize>, batch_idx: Option<usize>) -> String {
    let of_what = match (running_stage, epoch) {
        (RunningStage::SanityChecking, _) => "the sanity check".to_owned(),
        (RunningStage::Validating, Some(epoch)) => format!("the validation in epoch {epoch}"),
        _ => return at(epoch, batch_idx),
    };
    match batch_idx {
        Some(batch_idx) => format!(" at batch {batch_idx} of {of_what}"),
        None => format!(" at the beginning of {of_what}"),
    }
}

/// How to continue after an interruption.
fn ways_on(stage: Stage, checkpoint: Option<&Path>) -> String {
    match checkpoint {
        _ if stage != Stage::Fit => String::new(),
        Some(checkpoint) => {
            format!(": to continue, run the same command with `--ckpt-path {}`", checkpoint.display())
        }
        None => {
            ": no checkpoint was written; add `OnExceptionCheckpoint`, or `save_on_exception` to `ModelCheckpoint`, to \
                 get one"
                .to_owned()
        }
    }
}

fn of_elements(non_finite: i64, elements: i64) -> String {
    match (non_finite, elements) {
        (_, 1) => "a value that is NaN or infinite".to_owned(),
        (1, _) => format!("a NaN or infinity among its {elements} elements"),
        _ => format!("{non_finite} NaN or infinities among its {elements} elements"),
    }
}

/// A whole error and what caused it, in one line. What stems from files has no control characters that a terminal would obey.
pub(crate) fn in_one_line(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = shown(&readable(&cause.to_string()).replace('\n', " "), usize::MAX);
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
