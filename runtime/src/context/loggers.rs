//! The loggers of a run, and the rows that callbacks hand to them directly.

use super::record_queue::RecordQueue;
use super::{ContextError, RunContext};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::writer::IsWritten;
use crate::config::ConfigurationError;
use crate::log::row_step;
use crate::loggers::{
    CsvLogger, Graph, LoggedAt, Logger, LoggerError, Record, ResumedRun, RunStart, RunStatus, SavedCheckpoint,
};
use crate::stage::{RunningStage, Stage};
use crate::{messages, panic};
use anyhow::Result as AnyResult;
use std::any::Any;

/// The loggers that the user gave the trainer, or the one that it made because there were none.
#[derive(Default)]
pub(crate) struct Loggers {
    given: Vec<Box<dyn Logger>>,
    made: Option<Box<dyn Logger>>,
    /// The start of the run for one that is made when there is something to log: a run with nothing to do leaves no folder.
    to_be_made: Option<RunStart>,
    /// Whether the run has failed, so that a logger that fails as well is a warning: the run's last checkpoint is worth more than
    /// the rows.
    only_warns: bool,
    /// What hooks have logged besides values, until the next row is written.
    pub(super) queue: RecordQueue,
    /// The checkpoints that are being written, or have been since the loggers got the last one.
    saved: Vec<(SavedCheckpoint, LoggedAt, IsWritten)>,
}

/// Where in a run its loggers are called.
#[derive(Clone, Copy)]
struct Location {
    stage: Stage,
    epoch: Option<usize>,
    batch_idx: Option<usize>,
}

impl Loggers {
    /// Adds a logger of the user's.
    pub(crate) fn give(&mut self, logger: Box<dyn Logger>) {
        self.given.push(logger);
    }

    /// Has a logger made when there is something to log, unless there is one.
    pub(crate) fn make_if_none(&mut self, stage: Stage, checkpoint: Option<&Checkpoint>) {
        let is_none = self.given.is_empty() && self.made.is_none();
        self.to_be_made = is_none.then(|| start(stage, checkpoint, 0));
    }

    /// Removes the logger that the trainer made, and what the run before has not written.
    pub(crate) fn forget_made(&mut self) {
        (self.made, self.to_be_made) = (None, None);
        self.queue.clear();
        self.saved.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.made.is_none() && self.to_be_made.is_none()
    }

    fn all(&self) -> impl Iterator<Item = &dyn Logger> {
        self.given.iter().chain(&self.made).map(AsRef::as_ref)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Logger>> {
        self.given.iter_mut().chain(&mut self.made)
    }

    /// Calls every logger, with its position among those that the user gave.
    fn each(
        &mut self,
        location: Location,
        mut call: impl FnMut(usize, &mut dyn Logger) -> AnyResult<()>,
    ) -> Result<(), LoggerError> {
        let only_warns = self.only_warns;
        let mut loggers = self.all_mut().enumerate();
        loggers.try_for_each(|(place, logger)| {
            let called = panic::catch(|| call(place, &mut **logger));
            answer(called, &**logger, location, only_warns)
        })
    }
}

/// What the run gets of a call: with `only_warns`, an error or a panic is a warning, and the value is the default.
fn answer<T: Default>(
    called: AnyResult<T>,
    logger: &dyn Logger,
    location: Location,
    only_warns: bool,
) -> Result<T, LoggerError> {
    let Location { stage, epoch, batch_idx } = location;
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

/// The start of a run for the logger at a position.
fn start(stage: Stage, checkpoint: Option<&Checkpoint>, place: usize) -> RunStart {
    let resumed = checkpoint.filter(|_| stage == Stage::Fit).map(|checkpoint| {
        let progress = checkpoint.metadata.progress.resumed();
        let state = checkpoint.metadata.run.loggers.get(place).cloned().unwrap_or_default();
        ResumedRun { step: progress.batches_that_stepped(), rows: progress.rows(), state }
    });
    RunStart { resumed, ..RunStart::new(stage) }
}

impl RunContext {
    /// Whether the run has a logger. The one that a trainer makes by itself is there from
    /// [`setup`](crate::Callback::setup) on, and none is made in `predict`.
    pub fn has_loggers(&self) -> bool {
        !self.logging.loggers.is_empty()
    }

    /// Returns the loggers, in the order in which the trainer was given them. The one that a trainer makes by itself is among them from
    /// `on_train_start` on, and in an evaluation from its first hook of the loop on.
    pub fn loggers(&self) -> impl Iterator<Item = &dyn Logger> {
        self.logging.loggers.all()
    }

    /// Returns the first logger of this type, to ask it for what its own methods return; see [`loggers`](Self::loggers) for when it is
    /// there.
    ///
    /// ```
    /// # use tch_lightning::RunContext;
    /// use tch_lightning::{loggers::{CsvLogger, Logger}};
    ///
    /// fn folder(ctx: &RunContext) -> Option<&std::path::Path> {
    ///     ctx.find_logger::<CsvLogger>()?.log_dir()
    /// }
    /// ```
    pub fn find_logger<L: Logger>(&self) -> Option<&L> {
        self.logging.loggers.all().find_map(|logger| (logger as &dyn Any).downcast_ref())
    }

    /// Returns the first logger of this type, to hand it what no [`Record`] has.
    pub fn find_logger_mut<L: Logger>(&mut self) -> Option<&mut L> {
        self.logging.loggers.all_mut().find_map(|logger| (&mut **logger as &mut dyn Any).downcast_mut())
    }

    /// Fails for a callback that writes to loggers where there is none.
    pub(crate) fn require_loggers(&self, callback: &str) -> Result<(), ConfigurationError> {
        if self.has_loggers() || self.is_fast_dev_run() {
            return Ok(());
        }
        Err(ConfigurationError::from(format!(
            "{callback} writes to loggers, and the trainer has none: add one, or leave `logger` at true"
        )))
    }

    /// The step under which rows are logged: the batches so far after which the optimizer stepped.
    pub fn logged_step(&self) -> usize {
        self.progress().batches_that_stepped()
    }

    /// What is logged now belongs to this step and this epoch.
    pub(crate) fn logged_at(&self) -> LoggedAt {
        LoggedAt::new(self.logged_step(), Some(self.current_epoch()))
    }

    /// Whether rows are written for the running batch: for every one whose number is a multiple of `log_every_n_steps`,
    /// and where the run is about to stop. In training, batches count that the optimizer steps after; elsewhere those
    /// of each loader. Lightning's `should_update_logs`.
    pub fn should_update_logs(&self) -> bool {
        let every = self.config.log_every_n_steps;
        let number = match self.running_stage() {
            RunningStage::Training => self.progress().batches_that_stepped() + 1,
            _ => self.batch_idx().map_or(0, |batch_idx| batch_idx + 1),
        };
        every > 0 && (number.is_multiple_of(every) || self.should_stop())
    }

    /// Begins a run of the user's loggers.
    pub(crate) fn begin_loggers(&mut self, checkpoint: Option<&Checkpoint>) -> Result<(), LoggerError> {
        let location = self.location();
        let begin = |place, logger: &mut dyn Logger| logger.begin(&start(location.stage, checkpoint, place));
        self.logging.loggers.each(location, begin)
    }

    /// Sets whether the run has failed, so that a logger that fails as well is a warning.
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

    /// Hands a row to every logger as it is, which [`ctx.log`](super::Context::log) does not: no epoch is added,
    /// nothing is reduced, and callbacks do not see the values. Nothing is written in a
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

    /// Hands a row to every logger, as Lightning does: a value that was logged as `step` is the row's step, and the epoch is
    /// added where neither `step` nor `epoch` was logged. What waits is handed out before.
    pub(crate) fn write_row(&mut self, mut metrics: Vec<(String, f64)>, mut step: usize) -> Result<(), ContextError> {
        if metrics.is_empty() || self.logging.loggers.is_empty() || self.is_fast_dev_run() {
            return Ok(());
        }
        self.write_queue()?;
        let place = |metrics: &[(String, f64)], name| metrics.iter().position(|(logged, _)| logged == name);
        if let Some(logged) = place(&metrics, "step") {
            step = row_step(metrics.remove(logged).1)?;
        } else if place(&metrics, "epoch").is_none() {
            metrics.push(("epoch".to_owned(), self.current_epoch() as f64));
        }
        Ok(self.hand_out_row(&metrics, step)?)
    }

    fn hand_out_row(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), LoggerError> {
        self.hand_out(&Record::Scalars(metrics), LoggedAt::new(step, Some(self.current_epoch())))?;
        self.progress_mut().count_row();
        Ok(())
    }

    /// Hands the hyperparameters and the module's layers to the loggers.
    pub(crate) fn log_hyper_parameters(&mut self, graph: &Graph) -> Result<(), ContextError> {
        if self.logging.loggers.to_be_made.is_some() {
            // a run whose folder can't be made does not fail by its logger
            self.log_dir()?;
        }
        let at = LoggedAt::new(self.logged_step(), None);
        if let Some(values) = self.hyper_parameters().cloned() {
            self.hand_out(&Record::Hyperparameters(&values), at)?;
        }
        Ok(self.hand_out(&Record::Graph(graph), at)?)
    }

    /// Hands a checkpoint to the loggers, once it is written.
    pub(crate) fn log_when_written(&mut self, checkpoint: SavedCheckpoint, at: LoggedAt, is_written: IsWritten) {
        self.logging.loggers.saved.push((checkpoint, at, is_written));
    }

    /// Hands to the loggers the checkpoints that have been written since the last call.
    pub(crate) fn log_saved_checkpoints(&mut self) -> Result<(), LoggerError> {
        let saved = &mut self.logging.loggers.saved;
        let (written, waiting) = std::mem::take(saved).into_iter().partition(|(_, _, is_written)| is_written.get());
        *saved = waiting;
        let written: Vec<_> = written;
        if self.has_loggers() && !self.is_fast_dev_run() {
            for (checkpoint, at, _) in &written {
                self.hand_out(&Record::Checkpoint(checkpoint), *at)?;
            }
        }
        Ok(())
    }

    /// Hands a record to every logger.
    pub(super) fn hand_out(&mut self, record: &Record<'_>, at: LoggedAt) -> Result<(), LoggerError> {
        self.make_logger()?;
        let location = self.location();
        self.logging.loggers.each(location, |_, logger| logger.log(record, &at))
    }

    /// Makes the logger of a run that has none, and begins its run.
    fn make_logger(&mut self) -> Result<(), LoggerError> {
        let Some(start) = self.logging.loggers.to_be_made.take() else { return Ok(()) };
        let location = self.location();
        let (logger, made) = match self.log_dir() {
            Ok(folder) => (CsvLogger::new(folder), Ok(())),
            Err(error) => (CsvLogger::new(""), Err(error.into())),
        };
        answer(made, &logger, location, false)?;
        self.logging.loggers.made = Some(Box::new(logger));
        self.logging.loggers.each(location, |_, logger| logger.begin(&start))
    }

    fn location(&self) -> Location {
        Location { stage: self.stage(), epoch: self.running_epoch(), batch_idx: self.batch_idx() }
    }
}
