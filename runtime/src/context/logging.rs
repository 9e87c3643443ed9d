//! What a run logs: the logs of its loops, and the loggers that get their rows.

use super::RunContext;
use super::error::ContextError;
use super::log_dir::LogDir;
use super::loggers::Loggers;
use crate::file_error::FileError;
use crate::log::{Log, LogError, MetricState, SavedLog};
use crate::messages;
use crate::named_tensors::NamedTensors;
use crate::stage::{RunningStage, Stage};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;

/// The logs of a run.
pub(super) struct Logging {
    training: Log,
    evaluation: Log,
    /// What the `fit` before has logged of its epoch, in a run of another verb.
    of_fit: Option<Log>,
    /// What was logged of an epoch that was cut short, before its end.
    of_cut_epoch: Option<(SavedLog, NamedTensors)>,
    callback_metrics: BTreeMap<String, f64>,
    /// Why the value that a hook has logged was refused.
    refused: Option<String>,
    pub(super) loggers: Loggers,
    hyper_parameters: Option<serde_json::Value>,
    log_dir: LogDir,
}

impl Logging {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            training: Log::default(),
            evaluation: Log::default(),
            of_fit: None,
            of_cut_epoch: None,
            callback_metrics: BTreeMap::new(),
            refused: None,
            loggers: Loggers::default(),
            hyper_parameters: None,
            log_dir: LogDir::under(root),
        }
    }

    /// The logging of a new `fit`: with the loggers that the user gave.
    pub(super) fn of_fit(mut before: Self, root: &Path) -> Self {
        before.loggers.forget_made();
        Self { loggers: before.loggers, hyper_parameters: before.hyper_parameters, ..Self::new(root) }
    }

    /// The logging of an evaluation, to the folder and the loggers of the run before.
    pub(super) fn of_evaluation(before: Self, stage_before: Stage, root: &Path) -> Self {
        Self {
            of_fit: before.of_fit.or_else(|| (stage_before == Stage::Fit).then_some(before.training)),
            loggers: before.loggers,
            hyper_parameters: before.hyper_parameters,
            log_dir: before.log_dir,
            ..Self::new(root)
        }
    }
}

impl RunContext {
    /// What was logged, under the names that callbacks look for: at the end of an epoch its value, within one that of the last
    /// step. Reading it waits for the device.
    pub fn callback_metrics(&self) -> BTreeMap<String, f64> {
        let mut metrics = self.logging.callback_metrics.clone();
        metrics.extend(self.logging.training.callback_metrics(true));
        metrics.extend(self.logging.evaluation.callback_metrics(false));
        metrics
    }

    /// What was logged with `.prog_bar()`. Reading it waits for the device.
    pub fn progress_bar_metrics(&self) -> Vec<(String, f64)> {
        let mut metrics = self.logging.training.progress_bar();
        metrics.extend(self.logging.evaluation.progress_bar());
        metrics
    }

    /// The folder of this run, `lightning_logs/version_…`, made when it is first asked for.
    ///
    /// # Errors
    /// If the folder can't be made.
    pub fn log_dir(&mut self) -> Result<&Path, FileError> {
        self.logging.log_dir.make()
    }

    /// The folder of this run, if it was made.
    pub fn made_log_dir(&self) -> Option<&Path> {
        self.logging.log_dir.made()
    }

    /// The hyperparameters that go into checkpoints and to the loggers.
    pub(crate) fn hyper_parameters(&self) -> Option<&serde_json::Value> {
        self.logging.hyper_parameters.as_ref()
    }

    pub(crate) fn set_hyper_parameters(&mut self, hyper_parameters: serde_json::Value) {
        self.logging.hyper_parameters = Some(hyper_parameters);
    }

    pub(crate) fn loggers_mut(&mut self) -> &mut Loggers {
        &mut self.logging.loggers
    }

    /// Adds to what callbacks see of what was logged.
    pub(crate) fn add_callback_metrics(&mut self, metrics: impl IntoIterator<Item = (String, f64)>) {
        self.logging.callback_metrics.extend(metrics);
    }

    /// Records why a value that a hook has logged was refused: the first such reason fails the hook when it returns.
    pub(super) fn refuse_logged(&mut self, reason: String) {
        self.logging.refused.get_or_insert(reason);
    }

    pub(crate) fn take_refused_log(&mut self) -> Option<String> {
        self.logging.refused.take()
    }

    /// The log that the running loop writes to.
    pub(crate) fn active_log(&mut self) -> &mut Log {
        self.logs().0
    }

    /// The log that the running loop writes to, and the one that it does not write to.
    pub(super) fn logs(&mut self) -> (&mut Log, &Log) {
        match self.running_stage() {
            RunningStage::Training => (&mut self.logging.training, &self.logging.evaluation),
            _ => (&mut self.logging.evaluation, &self.logging.training),
        }
    }

    pub(super) fn training_log_mut(&mut self) -> &mut Log {
        &mut self.logging.training
    }

    /// Forgets everything that was logged.
    pub(crate) fn forget_logged(&mut self) {
        self.logging.training.clear();
        self.logging.evaluation.clear();
        self.logging.callback_metrics.clear();
    }

    /// Releases the metrics after a run has failed. What the run has logged of the epoch is kept for a checkpoint; the metrics are the
    /// module's, and would count its batches in the next run.
    pub(crate) fn release_metrics(&mut self) {
        self.logging.training.release_metrics();
        self.logging.evaluation.clear();
    }

    /// Runs `call`, which is not part of the training: what it logs is dropped, and the metrics that it logs get back the states
    /// that they had.
    pub(crate) fn without_logging(&mut self, call: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let states = self.logging.training.metric_states()?;
        let log = std::mem::take(&mut self.logging.training);
        let queue = self.logging.loggers.queue.take();
        let outcome = call(self);
        self.logging.loggers.queue = queue;
        std::mem::replace(&mut self.logging.training, log).clear();
        states.into_iter().try_for_each(MetricState::restore)?;
        outcome
    }

    /// Reads the epoch's values from here on: the running loop has come to the end of its epoch.
    pub(crate) fn epoch_end_reached(&mut self) {
        self.active_log().end();
    }

    /// Closes the epoch of the running loop: writes its row, and adds its values to the callbacks' metrics.
    pub(crate) fn end_logged_epoch(&mut self) -> Result<Vec<(String, f64)>, ContextError> {
        let training = self.running_stage() == RunningStage::Training;
        for name in self.active_log().outdated() {
            messages::warning!(
                "the value of the metric `{name}` is that of the batches before the checkpoint, as it was not logged \
                 since the run was resumed: log it in every step"
            );
        }
        let metrics = self.active_log().end_epoch(training)?;
        if self.sanity_checking() {
            return Ok(Vec::new());
        }
        self.add_callback_metrics(metrics.callback);
        self.write_queue()?;
        let step = self.progress().batches_that_stepped();
        self.write_row(metrics.row.clone(), step)?;
        Ok(metrics.row)
    }

    /// What was logged of the epoch that is running, or that the `fit` before was in.
    pub(super) fn saved_log(&self) -> Result<(SavedLog, NamedTensors), LogError> {
        match &self.logging.of_cut_epoch {
            Some((log, tensors)) if self.progress().is_cut_short() => {
                let tensors = tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
                Ok((log.clone(), tensors.collect()))
            }
            _ => self.logging.of_fit.as_ref().unwrap_or(&self.logging.training).save(),
        }
    }

    /// Keeps what was logged of an epoch that is cut short: the run that resumes it comes to the epoch's end once more.
    pub(crate) fn keep_cut_log(&mut self) -> Result<(), LogError> {
        self.logging.of_cut_epoch = Some(self.logging.training.save()?);
        Ok(())
    }

    /// The values that callbacks see, apart from those of running loops.
    pub(super) fn kept_callback_metrics(&self) -> &BTreeMap<String, f64> {
        &self.logging.callback_metrics
    }

    pub(super) fn restore_log(&mut self, log: Log, callback_metrics: BTreeMap<String, f64>) {
        self.logging.training = log;
        self.logging.callback_metrics = callback_metrics;
    }
}
