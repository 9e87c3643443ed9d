//! The loggers of a run, and the rows that callbacks hand to them directly.

use super::RunContext;
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::error_chain::in_one_line;
use crate::log::row_step;
use crate::loggers::{CsvLogger, Logger, RunStart};
use crate::stage::{RunningStage, Stage};
use crate::{messages, panic};

/// The loggers that the user gave the trainer, or the one that it made because there were none.
#[derive(Default)]
pub(crate) struct Loggers {
    given: Vec<Box<dyn Logger>>,
    made: Option<Box<dyn Logger>>,
    /// The start of the run for one that is made when there is something to log: a run with nothing to do leaves no folder.
    to_be_made: Option<RunStart>,
    /// Whether the run has failed, so that a logger that fails as well is a warning.
    only_warns: bool,
}

impl Loggers {
    /// Adds a logger of the user's.
    pub(crate) fn give(&mut self, logger: Box<dyn Logger>) {
        self.given.push(logger);
    }

    /// Begins a run of the user's loggers.
    pub(crate) fn begin(&mut self, stage: Stage, checkpoint: Option<&Checkpoint>) -> Result<(), Error> {
        let mut loggers = self.given.iter_mut().enumerate();
        loggers.try_for_each(|(place, logger)| logger.begin(&RunStart::of(stage, checkpoint, place)))
    }

    /// Has a logger made when there is something to log, unless there is one.
    pub(crate) fn make_if_none(&mut self, stage: Stage, checkpoint: Option<&Checkpoint>) {
        let is_none = self.given.is_empty() && self.made.is_none();
        self.to_be_made = is_none.then(|| RunStart::of(stage, checkpoint, 0));
    }

    /// While a run fails, a logger that fails does not keep checkpoints from being written: the run has failed
    /// already, and its last checkpoint is worth more than the rows.
    pub(crate) fn warn_of_failures(&mut self, only_warns: bool) {
        self.only_warns = only_warns;
    }

    /// Forces all rows to the disk.
    pub(crate) fn save(&mut self) -> Result<(), Error> {
        let only_warns = self.only_warns;
        self.iter_mut().try_for_each(|logger| call(only_warns, || logger.save()))
    }

    /// The state of each logger. After a failure, it is null for one that panics.
    pub(crate) fn state_dicts(&self) -> Vec<serde_json::Value> {
        let loggers = self.given.iter().chain(&self.made);
        loggers.map(|logger| call(self.only_warns, || Ok(logger.state_dict())).unwrap_or_default()).collect()
    }

    /// Removes the logger that the trainer made.
    pub(crate) fn forget_made(&mut self) {
        (self.made, self.to_be_made) = (None, None);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.made.is_none() && self.to_be_made.is_none()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Logger>> {
        self.given.iter_mut().chain(&mut self.made)
    }
}

/// Calls a logger. With `only_warns`, an error or a panic is a warning, and the value is the default.
fn call<T: Default>(only_warns: bool, call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    if !only_warns {
        return call();
    }
    let outcome = panic::catch(|| Ok(call()?));
    Ok(outcome.inspect_err(|error| messages::warn_after_error(&in_one_line(error))).unwrap_or_default())
}

impl RunContext {
    /// Whether the run has a logger. The one that a trainer makes by itself is there from
    /// [`setup`](crate::Callback::setup) on, and none is made in `predict`.
    pub fn has_loggers(&self) -> bool {
        !self.logging.loggers.is_empty()
    }

    /// Fails for a callback that writes to loggers where there is none.
    pub(crate) fn require_loggers(&self, callback: &str) -> Result<(), Error> {
        if self.has_loggers() || self.is_fast_dev_run() {
            return Ok(());
        }
        Err(Error::configuration(format!(
            "{callback} writes to loggers, and the trainer has none: add one, or leave `logger` at true"
        )))
    }

    /// The step under which rows are logged: the batches so far after which the optimizer stepped.
    pub fn logged_step(&self) -> usize {
        self.progress().batches_that_stepped()
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

    /// Hands a row to every logger as it is, which [`ctx.log`](super::Context::log) does not: no epoch is added,
    /// nothing is reduced, and callbacks do not see the values. Nothing is written in a
    /// [`FastDevRun`](crate::FastDevRun).
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
    /// What a logger answers.
    pub fn log_to_loggers(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), Error> {
        if metrics.is_empty() || self.is_fast_dev_run() {
            return Ok(());
        }
        self.hand_out(metrics, step)
    }

    /// Hands a row to every logger, as Lightning does: a value that was logged as `step` is the row's step, and the epoch is
    /// added where neither `step` nor `epoch` was logged.
    pub(crate) fn write_row(&mut self, mut metrics: Vec<(String, f64)>, mut step: usize) -> Result<(), Error> {
        if metrics.is_empty() || self.logging.loggers.is_empty() || self.is_fast_dev_run() {
            return Ok(());
        }
        let place = |metrics: &[(String, f64)], name| metrics.iter().position(|(logged, _)| logged == name);
        if let Some(logged) = place(&metrics, "step") {
            step = row_step(metrics.remove(logged).1)?;
        } else if place(&metrics, "epoch").is_none() {
            metrics.push(("epoch".to_owned(), self.current_epoch() as f64));
        }
        self.hand_out(&metrics, step)
    }

    fn hand_out(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), Error> {
        self.make_logger()?;
        self.logging.loggers.iter_mut().try_for_each(|logger| logger.log_metrics(metrics, step))?;
        self.progress_mut().count_row();
        Ok(())
    }

    /// Gives the loggers the hyperparameters of the run.
    pub(crate) fn log_hyper_parameters(&mut self) -> Result<(), Error> {
        self.make_logger()?;
        match self.hyper_parameters().cloned() {
            Some(values) => self.logging.loggers.iter_mut().try_for_each(|logger| logger.log_hyperparams(&values)),
            None => Ok(()),
        }
    }

    /// Makes the logger of a run that has none, and begins its run.
    fn make_logger(&mut self) -> Result<(), Error> {
        if let Some(start) = self.logging.loggers.to_be_made.take() {
            let logger = Box::new(CsvLogger::new(self.log_dir()?));
            self.logging.loggers.made.insert(logger).begin(&start)?;
        }
        Ok(())
    }
}
