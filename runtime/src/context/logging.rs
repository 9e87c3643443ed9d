//! The logs of the loops of a run, and its loggers.

use super::RunContext;
use super::error::ContextError;
use super::log_dir::{ConfigurationFile, LogDir};
use super::loggers::Loggers;
use crate::file_error::FileError;
use crate::log::{Log, LogError, MetricState, Metrics, SavedLog};
use crate::messages;
use crate::named_tensors::NamedTensors;
use crate::stage::{RunningStage, Stage};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The logs of a run.
pub(super) struct Logging {
    pub(super) training: Log,
    pub(super) evaluation: Log,
    /// The epoch's log of the previous `fit`, in a run of another verb.
    of_fit: Option<Log>,
    /// The log of an epoch that was cut short.
    of_cut_epoch: Option<(SavedLog, NamedTensors)>,
    callback_metrics: BTreeMap<String, f64>,
    /// The error of a value that a hook logged.
    refused: Option<String>,
    pub(super) loggers: Loggers,
    hyper_parameters: Option<serde_json::Value>,
    configuration_file: Option<ConfigurationFile>,
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
            configuration_file: None,
            log_dir: LogDir::under(root),
        }
    }

    /// The logging of a new `fit`, with the user's loggers.
    pub(super) fn of_fit(mut before: Self, root: &Path) -> Self {
        before.loggers.forget_made();
        Self {
            loggers: before.loggers,
            hyper_parameters: before.hyper_parameters,
            configuration_file: before.configuration_file,
            ..Self::new(root)
        }
    }

    /// The logging of an evaluation, with the folder and the loggers of the previous run.
    pub(super) fn of_evaluation(before: Self, stage_before: Stage, root: &Path) -> Self {
        Self {
            of_fit: before.of_fit.or_else(|| (stage_before == Stage::Fit).then_some(before.training)),
            loggers: before.loggers,
            hyper_parameters: before.hyper_parameters,
            configuration_file: before.configuration_file,
            log_dir: before.log_dir,
            ..Self::new(root)
        }
    }

    /// The log of the loop of a stage, and the other one.
    pub(super) fn of_stage(&mut self, stage: RunningStage) -> (&mut Log, &Log) {
        match stage {
            RunningStage::Training => (&mut self.training, &self.evaluation),
            _ => (&mut self.evaluation, &self.training),
        }
    }

    /// The folder of the run, if it has been created.
    pub(super) fn log_dir(&self) -> Option<&Path> {
        self.log_dir.made()
    }
}

impl RunContext {
    /// The logged values, under the names that callbacks monitor: the value of the epoch at its end, that of the last step within it.
    /// Waits for the device.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore }
    /// # #[lightning_module]
    /// # impl Model {
    /// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// #     fn validation_step(&mut self, batch: &Tensor) {}
    /// fn on_validation_epoch_end(&mut self, ctx: &mut Context) {
    ///     if let Some(loss) = ctx.callback_metrics().get("val_loss") {
    ///         ctx.print(format!("the loss is {loss}"));
    ///     }
    /// }
    /// # }
    /// ```
    pub fn callback_metrics(&self) -> Metrics {
        let mut metrics = self.logging.callback_metrics.clone();
        metrics.extend(self.logging.training.callback_metrics(true));
        metrics.extend(self.logging.evaluation.callback_metrics(false));
        // in the order of their names, also in a run that was resumed
        metrics.into_iter().collect()
    }

    /// The values logged with `.prog_bar()`. Waits for the device.
    pub fn progress_bar_metrics(&self) -> Metrics {
        let training = self.logging.training.progress_bar();
        training.into_iter().chain(self.logging.evaluation.progress_bar()).collect()
    }

    /// Returns the folder of this run, `lightning_logs/version_…`, and creates it on the first call. In a generated program, it then has
    /// the resolved configuration of the run as `config.yaml`.
    ///
    /// # Errors
    /// If the folder or the configuration cannot be created.
    pub fn log_dir(&mut self) -> Result<&Path, FileError> {
        self.logging.log_dir.make(self.logging.configuration_file.as_ref())
    }

    pub(crate) fn set_log_dir(&mut self, folder: PathBuf) {
        self.logging.log_dir.set(folder);
    }

    /// The folder of this run, if it has been created.
    pub fn made_log_dir(&self) -> Option<&Path> {
        self.logging.log_dir()
    }

    /// The hyperparameters that go into checkpoints and to the loggers.
    pub(crate) fn hyper_parameters(&self) -> Option<&serde_json::Value> {
        self.logging.hyper_parameters.as_ref()
    }

    pub(crate) fn set_hyper_parameters(&mut self, hyper_parameters: serde_json::Value) {
        self.logging.hyper_parameters = Some(hyper_parameters);
    }

    pub(crate) fn set_configuration_file(&mut self, file: ConfigurationFile) {
        self.logging.configuration_file = Some(file);
    }

    pub(crate) fn loggers_mut(&mut self) -> &mut Loggers {
        &mut self.logging.loggers
    }

    /// Adds logged values for callbacks.
    pub(crate) fn add_callback_metrics(&mut self, metrics: impl IntoIterator<Item = (String, f64)>) {
        self.logging.callback_metrics.extend(metrics);
    }

    /// Records the error of a value that a hook logged. The first such error fails the hook when it returns.
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

    /// The log of the running loop, and the other one.
    pub(super) fn logs(&mut self) -> (&mut Log, &Log) {
        let stage = self.running_stage();
        self.logging.of_stage(stage)
    }

    pub(super) fn training_log_mut(&mut self) -> &mut Log {
        &mut self.logging.training
    }

    /// Removes all logged values.
    pub(crate) fn forget_logged(&mut self) {
        self.logging.training.clear();
        self.logging.evaluation.clear();
        self.logging.callback_metrics.clear();
    }

    /// Releases the metrics after a failed run. The epoch's log is kept for a checkpoint; the metrics belong to the module, and would
    /// otherwise count these batches in the next run.
    pub(crate) fn release_metrics(&mut self) {
        self.logging.training.release_metrics();
        self.logging.evaluation.clear();
    }

    /// Runs `call` outside of the training: its logged values are dropped, and the metrics that it logs are restored to their
    /// previous states.
    pub(crate) fn without_logging(&mut self, call: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let states = self.logging.training.metric_states()?;
        let log = std::mem::take(&mut self.logging.training);
        let queue = std::mem::take(&mut self.logging.loggers.queue);
        let outcome = call(self);
        self.logging.loggers.queue = queue;
        std::mem::replace(&mut self.logging.training, log).clear();
        states.into_iter().try_for_each(MetricState::restore)?;
        outcome
    }

    /// Makes callbacks read the epoch's values from here on, at the end of an epoch of the running loop: those of all processes.
    pub(crate) fn epoch_end_reached(&mut self) -> Result<(), ContextError> {
        self.active_log().end();
        self.join_logged_epoch()
    }

    /// Closes the epoch of the running loop: writes its row, adds its values to the callbacks' metrics, and returns the row. Of a
    /// sanity check, it only returns the values that callbacks would read.
    pub(crate) fn end_logged_epoch(&mut self) -> Result<Vec<(String, f64)>, ContextError> {
        let training = self.running_stage() == RunningStage::Training;
        for name in self.active_log().outdated() {
            messages::warning!(
                "the value of the metric `{name}` only covers the batches before the checkpoint, as it was not logged \
                 after the run was resumed: log it in every step"
            );
        }
        self.join_logged_epoch()?;
        let metrics = self.active_log().end_epoch(training)?;
        if self.sanity_checking() {
            return Ok(metrics.callback);
        }
        for name in &metrics.never_updated {
            messages::warning!(
                "the metric `{name}` has no value, as it was logged and never updated: call its `update` in the step, \
                 before `ctx.log`"
            );
        }
        self.add_callback_metrics(metrics.callback);
        self.write_queue()?;
        let step = self.progress().batches_that_stepped();
        self.write_row(metrics.row.clone(), step)?;
        Ok(metrics.row)
    }

    /// The log of the running epoch, or of the one in which the previous `fit` ended.
    pub(super) fn saved_log(&self) -> Result<(SavedLog, NamedTensors), LogError> {
        match &self.logging.of_cut_epoch {
            Some((log, tensors)) if self.progress().is_cut_short() => {
                let tensors = tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
                Ok((log.clone(), tensors.collect()))
            }
            _ => self.logging.of_fit.as_ref().unwrap_or(&self.logging.training).save(),
        }
    }

    /// Keeps the log of an epoch that is cut short: a run that resumes it reaches the epoch's end again.
    pub(crate) fn keep_cut_log(&mut self) -> Result<(), LogError> {
        self.logging.of_cut_epoch = Some(self.logging.training.save()?);
        Ok(())
    }

    /// The values available to callbacks, except those of running loops.
    pub(super) fn kept_callback_metrics(&self) -> &BTreeMap<String, f64> {
        &self.logging.callback_metrics
    }

    pub(super) fn restore_log(&mut self, log: Log, callback_metrics: BTreeMap<String, f64>) {
        self.logging.training = log;
        self.logging.callback_metrics = callback_metrics;
    }
}
