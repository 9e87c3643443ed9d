//! The errors of a run, with their locations.

use crate::checkpoint::CheckpointError;
use crate::computation_trace::TorchScriptError;
use crate::config::ConfigurationError;
use crate::context::{ContextError, Interruption};
use crate::counted::counted;
use crate::data::DataError;
use crate::device::DeviceError;
use crate::error_chain::in_one_line;
use crate::file_error::FileError;
use crate::hook::Hook;
use crate::log::LogError;
use crate::loggers::LoggerError;
use crate::native::{NativeError, readable};
use crate::optim::OptimizerError;
use crate::run_location::{HookLocation, RunLocation, at};
use crate::schedule::ScheduleError;
use crate::signal::Signal;
use crate::stage::{RunningStage, Stage};
use crate::strategy::StrategyError;
use std::fmt;
use std::path::{Path, PathBuf};

/// An error of a run: what failed, where, and how to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A hook of the module, of the data module or of a callback returned an error or panicked.
    #[error(transparent)]
    Hook(#[from] Box<HookError>),
    /// A signal ended the run, after the current step, or immediately if the run was waiting for a worker.
    #[error(
        "interrupted by {signal}{}{}{}",
        in_loop(*running_stage, *epoch, *batch_idx),
        waiting_for.as_ref().map(|item| format!(", while {item}")).unwrap_or_default(),
        if *is_global_zero { ways_on(*stage, checkpoint.as_deref(), *lost_steps) } else { String::new() }
    )]
    Interrupted {
        /// The signal.
        signal: Signal,
        /// The verb that was running.
        stage: Stage,
        /// The running loop, to which `batch_idx` belongs.
        running_stage: RunningStage,
        /// The training epoch, from 0, if one was running.
        epoch: Option<usize>,
        /// The last processed batch, from 0.
        batch_idx: Option<usize>,
        /// The worker that the loader was waiting for, and the samples that it was reading.
        waiting_for: Option<String>,
        /// The newest checkpoint of the run: the one written at the interruption, if any, or else the one that it was resumed from.
        checkpoint: Option<PathBuf>,
        /// The number of optimizer steps that are not in that checkpoint, and in none if there is none: a resumed run takes them again.
        lost_steps: usize,
        /// Whether this is the only process of the run or that with rank 0, which alone says how to continue.
        is_global_zero: bool,
    },
    /// The loss was NaN or infinite, and [`on_non_finite_loss`](field@crate::TrainerConfig::on_non_finite_loss) is
    /// [`Stop`](crate::trainer::NonFiniteLoss::Stop).
    #[error(
        "the loss was {loss} at epoch {epoch}, batch {batch_idx}: a lower learning rate, `gradient_clip_val` or \
         `detect_anomaly` may help, and `on_non_finite_loss` can skip such steps or ignore them"
    )]
    NonFiniteLoss {
        /// The training epoch, from 0.
        epoch: usize,
        /// The batch, from 0.
        batch_idx: usize,
        /// The loss.
        loss: f64,
    },
    /// The [`count`](field@crate::module::Weighted::count) of a weighted loss cannot be a number of terms.
    #[error(
        "the `count` of a `Weighted` loss was {count} at epoch {epoch}, batch {batch_idx}, which is too large: it was perhaps a negative \
         number, and then made a `usize` by `as`"
    )]
    CountOfTerms {
        /// The training epoch, from 0.
        epoch: usize,
        /// The batch, from 0.
        batch_idx: usize,
        /// The count.
        count: usize,
    },
    /// A gradient or a parameter was NaN or infinite, which [`detect_anomaly`](field@crate::TrainerConfig::detect_anomaly) detects.
    #[error(
        "{what} `{parameter}` has {} at epoch {epoch}, batch {batch_idx}",
        of_elements(*non_finite, *elements)
    )]
    Anomaly {
        /// `the gradient of` or `the parameter`.
        what: &'static str,
        /// The first such parameter, in the order of their creation.
        parameter: String,
        /// The number of NaN and infinite elements.
        non_finite: i64,
        /// The number of elements.
        elements: i64,
        /// The training epoch, from 0.
        epoch: usize,
        /// The batch, from 0.
        batch_idx: usize,
    },
    /// A logger returned an error or panicked.
    #[error(transparent)]
    Logger(#[from] LoggerError),
    /// Something panicked outside of the hooks and the loggers: a batch's own methods.
    #[error("`{stage}` panicked{}: {message}", in_loop(*running_stage, *epoch, *batch_idx))]
    Panic {
        /// The verb that was running.
        stage: Stage,
        /// The running loop, to which `batch_idx` belongs.
        running_stage: RunningStage,
        /// The training epoch, from 0, if one was running.
        epoch: Option<usize>,
        /// The batch, from 0, if one was running.
        batch_idx: Option<usize>,
        /// The message of the panic.
        message: String,
    },
    /// The function that was given to [`Trainer::predict_each`](crate::Trainer::predict_each) failed.
    #[error("the function given to `predict_each` failed{}: {}", at(None, Some(*batch_idx)), in_one_line(error))]
    Prediction {
        /// The batch of the prediction, from 0 in each loader.
        batch_idx: usize,
        /// The returned error. Its message is part of this one, so that it is not a [`source`](std::error::Error::source).
        error: anyhow::Error,
    },
    /// A verb requires a hook that does not exist.
    #[error("`{stage}` needs `{hook}`: write it in the block of the module{}", if hook.is_dataloader() { " or the data module" } else { "" })]
    Missing {
        /// The verb that was called.
        stage: Stage,
        /// The hook that it needs.
        hook: Hook,
    },
    /// The configuration of the trainer, a callback or a loader is invalid, or does not fit the run. The text lists every
    /// mistake.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The requested device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Several processes cannot run together, or another one has failed.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// A loader is empty.
    #[error(
        "the loader of `{dataloader}` does not have a batch{}: check that there is data, and with `drop_last`, that it fills one batch",
        at(*epoch, None)
    )]
    NoBatch {
        /// The hook that made the loader.
        dataloader: Hook,
        /// The epoch; `None` if the loader was known to be empty before the first epoch.
        epoch: Option<usize>,
    },
    /// A loader failed.
    #[error("the loader of `{dataloader}` failed{}: {source}", at(*epoch, *batch_idx))]
    Data {
        /// The hook that made the loader.
        dataloader: Hook,
        /// The training epoch, from 0, if the batches were for one.
        epoch: Option<usize>,
        /// The requested batch, from 0; `None` if the loader failed to start.
        batch_idx: Option<usize>,
        /// The cause. Its message is part of this one, so that it is not a [`source`](std::error::Error::source).
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
    /// `predict_step` could not be traced.
    #[error(transparent)]
    TorchScript(#[from] TorchScriptError),
    /// An operation of the trainer failed in libtorch.
    #[error("libtorch: {}", readable(&.0.to_string()))]
    Torch(#[from] tch::TchError),
    /// An operation of the trainer that tch does not bind failed in libtorch.
    #[error("libtorch: {}", readable(&.0.to_string()))]
    Native(#[from] NativeError),
    /// A file of the run could not be written or read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Error {
    /// Returns [`Error::Configuration`] with this text.
    pub(crate) fn configuration(mistake: impl Into<ConfigurationError>) -> Self {
        Self::Configuration(mistake.into())
    }
}

/// An error or a panic in a hook, with its location.
#[derive(Debug, thiserror::Error)]
pub struct HookError {
    /// The hook.
    pub hook: Hook,
    /// The callback that the hook belongs to; `None` for hooks of the module and the data module.
    pub callback: Option<&'static str>,
    /// The verb that was running.
    pub stage: Stage,
    /// The training epoch, from 0, if one was running.
    pub epoch: Option<usize>,
    /// The batch, from 0, if one was running.
    pub batch_idx: Option<usize>,
    /// The error that the hook returned, or the message of its panic. Its message is part of this one, so that it is not a
    /// [`source`](std::error::Error::source).
    pub error: anyhow::Error,
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, callback, stage, epoch, batch_idx, error } = self;
        let location = RunLocation { stage: *stage, epoch: *epoch, batch_idx: *batch_idx };
        let location = HookLocation { hook: *hook, callback: *callback, location };
        write!(f, "{location}: {}", in_one_line(error))
    }
}

/// Formats the location as [`at`] does, for a batch that may be one of the validation within training.
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

/// Returns how to continue after an interruption.
fn ways_on(stage: Stage, checkpoint: Option<&Path>, lost_steps: usize) -> String {
    let (steps, are) = (counted(lost_steps, "step"), if lost_steps == 1 { "is" } else { "are" });
    match checkpoint {
        _ if stage != Stage::Fit => String::new(),
        Some(checkpoint) => {
            let lost =
                if lost_steps > 0 { format!("{steps} since the last checkpoint {are} lost; ") } else { String::new() };
            format!(": {lost}to continue, run the same command with `--ckpt-path {}`", checkpoint.display())
        }
        None => {
            let lost = if lost_steps > 0 { format!(", so {steps} {are} lost") } else { String::new() };
            format!(
                ": no checkpoint was written{lost}; add `OnExceptionCheckpoint`, or `save_on_exception` to `ModelCheckpoint`, to \
                 get one"
            )
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

impl From<Interruption> for Error {
    fn from(Interruption { signal, running_stage, location, waiting_for }: Interruption) -> Self {
        let RunLocation { stage, epoch, batch_idx } = location;
        Self::Interrupted {
            signal,
            stage,
            running_stage,
            epoch,
            batch_idx,
            waiting_for,
            checkpoint: None,
            lost_steps: 0,
            is_global_zero: true,
        }
    }
}

impl From<ContextError> for Error {
    fn from(error: ContextError) -> Self {
        match error {
            ContextError::NonFiniteLoss { epoch, batch_idx, loss } => Self::NonFiniteLoss { epoch, batch_idx, loss },
            ContextError::CountOfTerms { epoch, batch_idx, count } => Self::CountOfTerms { epoch, batch_idx, count },
            ContextError::Configuration(error) => error.into(),
            ContextError::File(error) => error.into(),
            ContextError::Log(error) => error.into(),
            ContextError::Logger(error) => error.into(),
            ContextError::Optimizer(error) => error.into(),
            ContextError::Torch(error) => error.into(),
            ContextError::Native(error) => error.into(),
            ContextError::Strategy(error) => error.into(),
        }
    }
}
