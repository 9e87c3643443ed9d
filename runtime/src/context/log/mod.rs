//! `ctx.log`: a value for each step and for each epoch.

mod accumulator;
mod arguments;
mod columns;
mod entry;
mod error;
mod key;
mod logged_metrics;
mod recorded;
mod saved;
mod scalar;
mod value;

pub use accumulator::Reduction;
pub use error::LogError;
pub(crate) use recorded::Log;
pub(crate) use saved::{NamedTensors, SavedLog};
pub use value::LogValue;

use super::RunContext;
use super::at::{Context, Logs, LogsSteps, Step};
use crate::error::Error;
use crate::hook::Hook;
use crate::stage::RunningStage;
use crate::terminal;
use anyhow::Result;
use arguments::Arguments;
use key::{DATALOADER_SUFFIX, Name};
use logged_metrics::MetricState;
use std::marker::PhantomData;

/// A value being logged, with what is to happen to it. It is recorded at the end of the statement; what can't be logged makes
/// the hook fail when it returns, with a [`LogError`].
///
/// Source: Lightning's [`self.log`](https://lightning.ai/docs/pytorch/stable/extensions/logging.html#log).
pub struct LogEntry<'a, At = Step> {
    ctx: &'a mut RunContext,
    at: PhantomData<At>,
    name: &'a str,
    value: Option<LogValue>,
    on_step: bool,
    on_epoch: bool,
    prog_bar: bool,
    logger: bool,
    reduction: Reduction,
    batch_size: Option<usize>,
}

// the bound stands on the method, so that a hook without it is told why, and not that there is no such method
impl<At> Context<At> {
    /// Logs a value under a name.
    ///
    /// In a training step the value of each step is kept, elsewhere that of the epoch; [`LogEntry::on_step`] and
    /// [`LogEntry::on_epoch`] choose otherwise. With both, the names get the suffixes `_step` and `_epoch`, and nothing else may be
    /// logged under the names that they make. A tensor is read or copied by the call, so that it may change afterwards; its value
    /// stays on the device until a row is written.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// fn log_loss(ctx: &mut Context, loss: &Tensor, correct: usize) {
    ///     ctx.log("train_loss", loss).on_epoch(true).prog_bar();
    ///     ctx.log("correct", correct).on_step(false).on_epoch(true).reduce(Reduction::Sum);
    /// }
    /// ```
    ///
    /// All calls with one name in one hook have the same arguments, apart from the batch's size: what they log is one value.
    /// Where `step` is logged, it is the step of the loggers' row in place of the number of the step, and `epoch` takes the
    /// place of the running epoch.
    ///
    /// A [metric](crate::metrics) is logged as it is, after its update, and may be logged under several names. Its value for the
    /// epoch is computed at the epoch's end. Then it is reset, also where it was logged for the steps alone. Training, validation
    /// and each of several loaders need a metric of their own. A checkpoint within the epoch keeps what a metric has accumulated
    /// that was logged in the steps. One that is logged at the epoch's end alone may miss the batches before a resume: log it in
    /// the steps, with `on_step(false).on_epoch(true)`.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::metrics::Accuracy;
    /// # struct Model { vs: nn::VarStore, net: nn::Linear, accuracy: Accuracy }
    /// #[lightning_module]
    /// impl Model {
    ///     fn validation_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
    ///         let (inputs, labels) = batch;
    ///         self.accuracy.update(&self.net.forward(inputs), labels)?;
    ///         ctx.log("val_acc", &self.accuracy).prog_bar();
    ///         Ok(())
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    pub fn log<'a>(&'a mut self, name: &'a str, value: impl Into<LogValue>) -> LogEntry<'a, At>
    where
        At: Logs,
    {
        let each_step = self.hook.is_some_and(logs_steps);
        LogEntry {
            ctx: &mut self.run,
            at: PhantomData,
            name,
            value: Some(value.into()),
            on_step: each_step,
            on_epoch: !each_step,
            prog_bar: false,
            logger: true,
            reduction: Reduction::Mean,
            batch_size: None,
        }
    }
}

impl<At: Logs> Context<At> {
    /// Logs several values, each as [`log`](Self::log) does by default. Lightning's
    /// [`log_dict`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#log-dict).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// fn log_losses(ctx: &mut Context, reconstruction: &Tensor, divergence: &Tensor) {
    ///     ctx.log_all([("reconstruction", reconstruction), ("divergence", divergence)]);
    /// }
    /// ```
    pub fn log_all<'a, V: Into<LogValue>>(&mut self, values: impl IntoIterator<Item = (&'a str, V)>) {
        for (name, value) in values {
            self.log(name, value);
        }
    }
}

/// The hooks around a training batch, where a step's own value is the one of interest.
fn logs_steps(hook: Hook) -> bool {
    use Hook::*;
    matches!(
        hook,
        TrainingStep
            | OnTrainBatchStart
            | OnTrainBatchEnd
            | OnBeforeBackward
            | OnAfterBackward
            | OnBeforeZeroGrad
            | OnBeforeOptimizerStep
            | OptimizerStep
            | OptimizerZeroGrad
            | Backward
            | ConfigureGradientClipping
    )
}

impl<At> LogEntry<'_, At> {
    /// Keeps the value of each step, and writes it every `log_every_n_steps` steps.
    pub fn on_step(mut self, on_step: bool) -> Self
    where
        At: LogsSteps,
    {
        self.on_step = on_step;
        self
    }

    /// Reduces the values of an epoch to one, and writes it at the epoch's end.
    pub fn on_epoch(mut self, on_epoch: bool) -> Self {
        self.on_epoch = on_epoch;
        self
    }

    /// Shows the value in the progress bar.
    pub fn prog_bar(mut self) -> Self {
        self.prog_bar = true;
        self
    }

    /// Whether the loggers get the value; they do unless this says otherwise.
    pub fn logger(mut self, logger: bool) -> Self {
        self.logger = logger;
        self
    }

    /// How an epoch's values become one; their mean unless this says otherwise.
    pub fn reduce(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The weight of the value in a mean: the size of the batch unless this says otherwise.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    fn record(&mut self) -> Result<(), String> {
        let Some(hook) = self.ctx.hook else { return Err(format!("`{}` was logged outside of a hook", self.name)) };
        let Some(value) = self.value.take() else { return Ok(()) };
        self.record_in(hook, value).map_err(|error| error.to_string())
    }

    fn record_in(&mut self, hook: Hook, value: LogValue) -> Result<(), LogError> {
        if self.name.contains(DATALOADER_SUFFIX) {
            return Err(LogError::DataloaderIdx { name: self.name.to_owned() });
        }
        if !self.on_step && !self.on_epoch {
            return Err(LogError::Nowhere { name: self.name.to_owned() });
        }
        let arguments = Arguments {
            on_step: self.on_step,
            on_epoch: self.on_epoch,
            prog_bar: self.prog_bar,
            logger: self.logger,
            reduction: self.reduction,
        };
        let weight = self.batch_size.unwrap_or(self.ctx.batch_size) as f64;
        let name = Name { hook, dataloader_idx: self.ctx.dataloader_idx, name: self.name };
        let value = value.take(self.name)?;
        let (log, other) = self.ctx.logs();
        log.record(name, value, arguments, weight, other)
    }
}

/// The step of a row whose `step` was logged: without its fraction, as in Lightning.
pub(crate) fn row_step(value: f64) -> Result<usize, LogError> {
    // beyond, f64 has not every whole number
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    if (0.0..=LARGEST).contains(&value.trunc()) { Ok(value as usize) } else { Err(LogError::Step { value }) }
}

impl<At> Drop for LogEntry<'_, At> {
    fn drop(&mut self) {
        // a drop can't fail: the hook does, when it returns
        if let Err(refused) = self.record() {
            self.ctx.refused_log.get_or_insert(refused);
        }
    }
}

impl RunContext {
    /// The running loop has come to the end of its epoch: from here on the epoch's values are read.
    pub(crate) fn epoch_end_reached(&mut self) {
        self.active_log().end();
    }

    /// The log that the running loop writes to.
    pub(crate) fn active_log(&mut self) -> &mut Log {
        self.logs().0
    }

    /// The log that the running loop writes to, and the one that it does not write to.
    fn logs(&mut self) -> (&mut Log, &Log) {
        match self.running_stage {
            RunningStage::Training => (&mut self.training_log, &self.evaluation_log),
            _ => (&mut self.evaluation_log, &self.training_log),
        }
    }

    /// Forgets everything that was logged.
    pub(crate) fn forget_logged(&mut self) {
        self.training_log.clear();
        self.evaluation_log.clear();
        self.callback_metrics.clear();
    }

    /// The run has failed. What it has logged of the epoch is kept for a checkpoint; the metrics are the module's, and would
    /// count its batches in the next run.
    pub(crate) fn release_metrics(&mut self) {
        self.training_log.metrics.release();
        self.evaluation_log.clear();
    }

    /// Runs `call`, which is not part of the training: what it logs is dropped, and the metrics that it logs get back the states
    /// that they had.
    pub(crate) fn without_logging(&mut self, call: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let states = self.training_log.metrics.states()?;
        let log = std::mem::take(&mut self.training_log);
        let outcome = call(self);
        std::mem::replace(&mut self.training_log, log).clear();
        states.into_iter().try_for_each(MetricState::restore)?;
        outcome
    }

    /// Closes the epoch of the running loop: writes its row and tells the callbacks' metrics.
    pub(crate) fn end_logged_epoch(&mut self) -> Result<Vec<(String, f64)>, Error> {
        let training = self.running_stage == RunningStage::Training;
        for name in self.active_log().outdated() {
            terminal::say(&format!(
                "warning: the value of the metric `{name}` is that of the batches before the checkpoint, as it was not logged \
                 since the run was resumed: log it in every step"
            ));
        }
        let metrics = self.active_log().end_epoch(training)?;
        if self.running_stage == RunningStage::SanityChecking {
            return Ok(Vec::new());
        }
        self.callback_metrics.extend(metrics.callback);
        let step = self.progress.batches_that_stepped;
        self.write_row(metrics.row.clone(), step)?;
        Ok(metrics.row)
    }
}
