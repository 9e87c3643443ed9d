//! The loggers of a run, and the rows that callbacks write to them directly.

use super::record_queue::RecordQueue;
use super::{ContextError, RunContext};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::writer::IsWritten;
use crate::config::{ConfigurationError, LoggerChoice};
use crate::log::row_step;
use crate::loggers::{
    CsvLogger, Graph, LoggedAt, Logger, LoggerError, Record, ResumedRun, RunStart, RunStatus, SavedCheckpoint,
};
use crate::run_location::RunLocation;
use crate::stage::{RunningStage, Stage};
use crate::{messages, panic};
use anyhow::Result as AnyResult;
use std::any::Any;
use std::path::Path;

/// The user's loggers, or the default logger if there are none.
#[derive(Default)]
pub(crate) struct Loggers {
    given: Vec<Box<dyn Logger>>,
    made: Option<Box<dyn Logger>>,
    /// The start of the run for a default logger that is created with the first record, so that an empty run leaves no folder.
    to_be_made: Option<RunStart>,
    /// The user's loggers that use the folder of the run, by index, with the starts of their runs, until the first record.
    waiting: Vec<(usize, RunStart)>,
    /// Whether another process writes the records of all.
    is_silent: bool,
    /// Whether the run has failed. Errors of loggers are then warnings, so that the last checkpoint is still written.
    only_warns: bool,
    /// Records other than values, queued until the next row is written.
    pub(super) queue: RecordQueue,
    /// The checkpoints that are being written, or were written since the last one was passed to the loggers.
    saved: Vec<(SavedCheckpoint, LoggedAt, IsWritten)>,
}

impl Loggers {
    /// Adds a user's logger.
    pub(crate) fn give(&mut self, logger: Box<dyn Logger>) {
        self.given.push(logger);
    }

    /// Creates the default logger with the first record, unless there is a logger.
    pub(crate) fn make_if_none(&mut self, stage: Stage, checkpoint: Option<&Checkpoint>) {
        let is_none = self.given.is_empty() && self.made.is_none();
        self.to_be_made = is_none.then(|| start(stage, checkpoint, 0));
    }

    /// Removes the default logger, and the unwritten records of the previous run.
    pub(crate) fn forget_made(&mut self) {
        (self.made, self.to_be_made) = (None, None);
        self.waiting.clear();
        self.queue.clear();
        self.saved.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.made.is_none() && self.to_be_made.is_none()
    }

    /// Whether a logger waits for the folder of the run.
    fn uses_run_folder(&self) -> bool {
        !self.waiting.is_empty() || self.to_be_made.is_some()
    }

    /// Creates the default logger, if there is to be one.
    fn make_default(&mut self) {
        if let Some(start) = self.to_be_made.take() {
            self.waiting.push((self.given.len(), start));
            self.made = Some(Box::new(CsvLogger::default()));
        }
    }

    fn all(&self) -> impl Iterator<Item = &dyn Logger> {
        self.given.iter().chain(&self.made).map(AsRef::as_ref)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Logger>> {
        self.given.iter_mut().chain(&mut self.made)
    }

    /// Calls each logger whose run has begun with its index.
    fn each(
        &mut self,
        location: RunLocation,
        mut call: impl FnMut(usize, &mut dyn Logger) -> AnyResult<()>,
    ) -> Result<(), LoggerError> {
        if self.is_silent {
            return Ok(());
        }
        let only_warns = self.only_warns;
        let waiting: Vec<usize> = self.waiting.iter().map(|(index, _)| *index).collect();
        let mut loggers = self.all_mut().enumerate().filter(|(index, _)| !waiting.contains(index));
        loggers.try_for_each(|(index, logger)| {
            let called = panic::catch(|| call(index, &mut **logger));
            answer(called, &**logger, location, only_warns)
        })
    }
}

/// Converts the result of a call: with `only_warns`, an error or a panic becomes a warning, and the value is the default.
fn answer<T: Default>(
    called: AnyResult<T>,
    logger: &dyn Logger,
    location: RunLocation,
    only_warns: bool,
) -> Result<T, LoggerError> {
    let RunLocation { stage, epoch, batch_idx } = location;
    called
        .map_err(|error| {
            let name = panic::catch(|| Ok(logger.name().to_owned())).unwrap_or_default();
            LoggerError { logger: name, stage, epoch, batch_idx, error }
        })
        .or_else(|error| {
            if !only_warns {
                return Err(error);
            }
            messages::warn_after_error(&error);
            Ok(T::default())
        })
}

/// Returns the start of a run for the logger at an index.
fn start(stage: Stage, checkpoint: Option<&Checkpoint>, index: usize) -> RunStart {
    let resumed = checkpoint.filter(|_| stage == Stage::Fit).map(|checkpoint| {
        let progress = checkpoint.metadata.progress.resumed();
        let state = checkpoint.metadata.run.loggers.get(index).cloned().unwrap_or_default();
        ResumedRun { step: progress.batches_that_stepped(), rows: progress.rows(), state }
    });
    RunStart { resumed, ..RunStart::new(stage) }
}

impl RunContext {
    /// Whether the run has a logger. The default logger counts from [`setup`](crate::Callback::setup) on; `predict` does not
    /// have one.
    pub fn has_loggers(&self) -> bool {
        !self.logging.loggers.is_empty()
    }

    /// Returns the loggers, in the order in which they were added. The default logger is among them from
    /// `on_train_start` on, and in an evaluation from the first hook of the loop on.
    pub fn loggers(&self) -> impl Iterator<Item = &dyn Logger> {
        self.logging.loggers.all()
    }

    /// Returns the first logger of this type, to call its own methods; see [`loggers`](Self::loggers) for when it exists.
    ///
    /// ```
    /// # use tch_lightning::RunContext;
    /// use tch_lightning::loggers::{CsvLogger, Logger};
    ///
    /// fn folder(ctx: &RunContext) -> Option<&std::path::Path> {
    ///     ctx.find_logger::<CsvLogger>()?.log_dir()
    /// }
    /// ```
    pub fn find_logger<L: Logger>(&self) -> Option<&L> {
        self.logging.loggers.all().find_map(|logger| (logger as &dyn Any).downcast_ref())
    }

    /// Returns the first logger of this type, to pass it data without a [`Record`] type.
    pub fn find_logger_mut<L: Logger>(&mut self) -> Option<&mut L> {
        self.logging.loggers.all_mut().find_map(|logger| (&mut **logger as &mut dyn Any).downcast_mut())
    }

    /// Fails if a callback writes to loggers and there are none.
    pub(crate) fn require_loggers(&self, callback: &str) -> Result<(), ConfigurationError> {
        // the default logger is created after the callbacks' `setup`
        let will_have_one = self.config().logger == LoggerChoice::Default;
        if self.has_loggers() || will_have_one || self.is_fast_dev_run() {
            return Ok(());
        }
        Err(ConfigurationError::from(format!(
            "{callback} writes to loggers, but the trainer has none: add one, or leave `logger` at true"
        )))
    }

    /// The step of logged rows: the number of batches so far after which the optimizer stepped.
    pub fn logged_step(&self) -> usize {
        self.progress().batches_that_stepped()
    }

    /// The step and the epoch of values logged now.
    pub(crate) fn logged_at(&self) -> LoggedAt {
        LoggedAt::new(self.logged_step(), Some(self.current_epoch()))
    }

    /// Whether rows are written for the current batch: if its number is a multiple of `log_every_n_steps`, and if the run is about
    /// to stop. In training, only batches with an optimizer step count; in other loops, those of each loader. Lightning's
    /// `should_update_logs`.
    pub fn should_update_logs(&self) -> bool {
        let every = self.config.log_every_n_steps;
        let number = match self.running_stage() {
            RunningStage::Training => self.progress().batches_that_stepped() + 1,
            _ => self.batch_idx().map_or(0, |batch_idx| batch_idx + 1),
        };
        every > 0 && (number.is_multiple_of(every) || self.should_stop())
    }

    /// Begins a run of the user's loggers. Those of a fast run, which writes no record, never begin.
    pub(crate) fn begin_loggers(&mut self, checkpoint: Option<&Checkpoint>) -> Result<(), LoggerError> {
        let (location, is_fast) = (self.location(), self.is_fast_dev_run());
        let is_silent = !self.is_global_zero();
        let loggers = &mut self.logging.loggers;
        loggers.is_silent = is_silent;
        let starts = loggers.given.iter().enumerate().filter(|(_, logger)| is_fast || logger.uses_run_folder());
        loggers.waiting = starts.map(|(index, _)| (index, start(location.stage, checkpoint, index))).collect();
        loggers.each(location, |index, logger| logger.begin(&start(location.stage, checkpoint, index)))
    }

    /// Sets whether errors of loggers are warnings, as after a failure of the run.
    pub(crate) fn warn_of_failing_loggers(&mut self, only_warns: bool) {
        self.logging.loggers.only_warns = only_warns;
    }

    /// Forces all records to the disk.
    pub(crate) fn save_loggers(&mut self) -> Result<(), LoggerError> {
        self.write_queue()?;
        let location = self.location();
        self.logging.loggers.each(location, |_, logger| logger.save())
    }

    /// Returns the state of each logger. After a failure, it is null for one that panics.
    pub(super) fn logger_states(&self) -> Result<Vec<serde_json::Value>, LoggerError> {
        let loggers = &self.logging.loggers;
        let state = |logger: &dyn Logger| {
            let state = panic::catch(|| Ok(logger.state_dict()));
            answer(state, logger, self.location(), loggers.only_warns)
        };
        loggers.all().map(state).collect()
    }

    /// Ends the run of all loggers.
    pub(crate) fn finalize_loggers(&mut self, status: RunStatus) -> Result<(), LoggerError> {
        self.write_queue()?;
        let location = self.location();
        self.logging.loggers.each(location, |_, logger| logger.finalize(status))
    }

    /// Passes a row to each logger unchanged. Unlike with [`ctx.log`](super::Context::log), no epoch is added,
    /// nothing is reduced, and callbacks cannot access the values. Nothing is written in a
    /// [`FastDevRun`](crate::trainer::FastDevRun).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// struct Temperature;
    ///
    /// #[lightning_callback]
    /// impl Temperature {
    ///     fn on_train_batch_start(&self, ctx: &mut Context) -> Result<()> {
    ///         if ctx.should_update_logs() {
    ///             let step = ctx.logged_step();
    ///             ctx.log_to_loggers(&[("temperature".to_owned(), 21.5)], step)?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`LoggerError`] if a logger fails.
    pub fn log_to_loggers(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), LoggerError> {
        if metrics.is_empty() || self.is_fast_dev_run() {
            return Ok(());
        }
        self.hand_out_row(metrics, step)
    }

    /// Passes a row to each logger, as Lightning does: a value logged as `step` is the row's step, and the epoch is
    /// added if neither `step` nor `epoch` was logged. Queued records are passed first.
    pub(crate) fn write_row(&mut self, mut metrics: Vec<(String, f64)>, mut step: usize) -> Result<(), ContextError> {
        if metrics.is_empty() || self.is_fast_dev_run() {
            return Ok(());
        }
        if self.logging.loggers.is_empty() {
            self.show_row(&metrics, step);
            return Ok(());
        }
        self.write_queue()?;
        let position_of = |metrics: &[(String, f64)], name| metrics.iter().position(|(logged, _)| logged == name);
        if let Some(logged) = position_of(&metrics, "step") {
            step = row_step(metrics.remove(logged).1)?;
        } else if position_of(&metrics, "epoch").is_none() {
            metrics.push(("epoch".to_owned(), self.current_epoch() as f64));
        }
        Ok(self.hand_out_row(&metrics, step)?)
    }

    fn hand_out_row(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), LoggerError> {
        self.hand_out(&Record::Scalars(metrics), LoggedAt::new(step, Some(self.current_epoch())))?;
        self.progress_mut().count_row();
        self.show_row(metrics, step);
        Ok(())
    }

    /// Passes the hyperparameters and the module's layers to the loggers.
    pub(crate) fn log_hyper_parameters(&mut self, graph: &Graph) -> Result<(), ContextError> {
        if self.is_fast_dev_run() {
            return Ok(());
        }
        if self.logging.loggers.uses_run_folder() {
            // a folder that cannot be created is not an error of a logger
            self.log_dir()?;
        }
        let at = LoggedAt::new(self.logged_step(), None);
        if let Some(values) = self.hyper_parameters().cloned() {
            self.hand_out(&Record::Hyperparameters(&values), at)?;
        }
        Ok(self.hand_out(&Record::Graph(graph), at)?)
    }

    /// Passes a checkpoint to the loggers once it is written.
    pub(crate) fn log_when_written(&mut self, checkpoint: SavedCheckpoint, at: LoggedAt, is_written: IsWritten) {
        self.logging.loggers.saved.push((checkpoint, at, is_written));
    }

    /// Passes the checkpoints written since the last call to the loggers.
    pub(crate) fn log_saved_checkpoints(&mut self) -> Result<(), LoggerError> {
        let saved = &mut self.logging.loggers.saved;
        let (written, waiting): (Vec<_>, _) =
            std::mem::take(saved).into_iter().partition(|(_, _, is_written)| is_written.get());
        *saved = waiting;
        if self.has_loggers() && !self.is_fast_dev_run() {
            for (checkpoint, at, _) in &written {
                self.hand_out(&Record::Checkpoint(checkpoint), *at)?;
            }
        }
        Ok(())
    }

    /// Passes a record to each logger.
    pub(super) fn hand_out(&mut self, record: &Record<'_>, at: LoggedAt) -> Result<(), LoggerError> {
        self.begin_in_run_folder()?;
        let location = self.location();
        self.logging.loggers.each(location, |_, logger| logger.log(record, &at))
    }

    /// Creates the default logger, and begins the runs of the loggers that use the folder of the run.
    fn begin_in_run_folder(&mut self) -> Result<(), LoggerError> {
        let location = self.location();
        self.logging.loggers.make_default();
        let Some(&(first, _)) = self.logging.loggers.waiting.first() else { return Ok(()) };
        if self.logging.loggers.is_silent {
            return Ok(());
        }
        let log_dir = self.log_dir().map(Path::to_owned);
        let loggers = &mut self.logging.loggers;
        let only_warns = loggers.only_warns;
        let log_dir = match log_dir {
            Ok(log_dir) => log_dir,
            Err(error) => {
                return loggers
                    .all()
                    .nth(first)
                    .map_or(Ok(()), |logger| answer(Err(error.into()), logger, location, only_warns));
            }
        };
        for (index, start) in std::mem::take(&mut loggers.waiting) {
            let start = RunStart { log_dir: Some(log_dir.clone()), ..start };
            if let Some(logger) = loggers.all_mut().nth(index) {
                let begun = panic::catch(|| logger.begin(&start));
                answer(begun, &**logger, location, only_warns)?;
            }
        }
        Ok(())
    }
}
