//! `ctx.log`: a value for each step and for each epoch.

use super::RunContext;
use super::accumulator::{Accumulator, Reduction};
use super::at::{Context, Logs, LogsSteps, Step};
use crate::error::Error;
use crate::hook::Hook;
use crate::stage::RunningStage;
use std::marker::PhantomData;
use tch::{TchError, Tensor};

/// What can be logged: a tensor of one element, or a number.
#[derive(Debug)]
pub enum LogValue {
    /// A tensor of one element, of any dtype and device. It stays where it is.
    Tensor(Tensor),
    /// A number.
    Number(f64),
}

impl From<&Tensor> for LogValue {
    fn from(tensor: &Tensor) -> Self {
        Self::Tensor(tensor.shallow_clone())
    }
}

impl From<Tensor> for LogValue {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

macro_rules! from_number {
    ($($number:ty),*) => {$(
        impl From<$number> for LogValue {
            fn from(number: $number) -> Self {
                Self::Number(number as f64)
            }
        }
    )*};
}
from_number!(f32, f64, i32, i64, u32, u64, usize);

impl LogValue {
    fn shallow_clone(&self) -> Self {
        match self {
            Self::Tensor(tensor) => Self::Tensor(tensor.shallow_clone()),
            Self::Number(number) => Self::Number(*number),
        }
    }

    fn to_f64(&self) -> f64 {
        match self {
            Self::Tensor(tensor) => tensor.f_double_value(&[]).unwrap_or(f64::NAN),
            Self::Number(number) => *number,
        }
    }
}

/// A value being logged, with what is to happen to it. It is recorded at the end of the statement.
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
    /// [`LogEntry::on_epoch`] choose otherwise. With both, the names get `_step` and `_epoch` behind them. Values stay on
    /// the device until a row is written.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// fn log_loss(ctx: &mut Context, loss: &Tensor, correct: usize) {
    ///     ctx.log("train_loss", loss).on_epoch(true).prog_bar();
    ///     ctx.log("correct", correct).on_step(false).on_epoch(true).reduce(Reduction::Sum);
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
        let value = match self.value.take() {
            Some(LogValue::Tensor(tensor)) if tensor.numel() != 1 => {
                return Err(format!(
                    "`{}` was logged with a tensor of shape {:?}: one element can be logged, such as its mean",
                    self.name,
                    tensor.size()
                ));
            }
            Some(LogValue::Tensor(tensor)) => LogValue::Tensor(scalar(&tensor).map_err(|error| error.to_string())?),
            Some(number) => number,
            None => return Ok(()),
        };
        let weight = self.batch_size.unwrap_or(self.ctx.batch_size) as f64;
        let name = Name { hook, base: self.name, dataloader_idx: self.ctx.dataloader_idx };
        let log = self.ctx.active_log();
        let logged = log.entry(&name, self.reduction);
        logged.on_step = self.on_step;
        logged.on_epoch = self.on_epoch;
        logged.prog_bar = self.prog_bar;
        logged.logger = self.logger;
        logged.add(value, weight).map_err(|error| error.to_string())
    }
}

impl<At> Drop for LogEntry<'_, At> {
    fn drop(&mut self) {
        // a drop can't fail: the hook does, when it returns
        if let Err(refused) = self.record() {
            self.ctx.refused_log.get_or_insert(refused);
        }
    }
}

/// A tensor of one element without its graph, of shape `[]`.
fn scalar(tensor: &Tensor) -> Result<Tensor, TchError> {
    let detached = tensor.f_detach()?;
    if detached.dim() == 0 { Ok(detached) } else { detached.f_reshape([0i64; 0].as_slice()) }
}

struct Name<'a> {
    hook: Hook,
    base: &'a str,
    dataloader_idx: Option<usize>,
}

/// What one loop has logged.
#[derive(Default)]
pub(crate) struct Log {
    logged: Vec<Logged>,
    /// Whether the epoch has come to its end, so that its values can be read.
    ended: bool,
}

struct Logged {
    hook: Hook,
    name: String,
    dataloader_idx: Option<usize>,
    /// The last step's value in this epoch.
    last: Option<LogValue>,
    epoch: Accumulator,
    /// The value of the last epoch that ended, or of its last step.
    finished: Option<f64>,
    on_step: bool,
    on_epoch: bool,
    prog_bar: bool,
    logger: bool,
}

impl Logged {
    fn add(&mut self, value: LogValue, weight: f64) -> Result<(), TchError> {
        if self.on_epoch {
            match value.shallow_clone() {
                LogValue::Tensor(tensor) => self.epoch.add_tensor(tensor, weight)?,
                LogValue::Number(number) => self.epoch.add_number(number, weight),
            }
        }
        if self.on_step {
            self.last = Some(value);
        }
        Ok(())
    }

    fn suffix(&self) -> String {
        self.dataloader_idx.map(|index| format!("/dataloader_idx_{index}")).unwrap_or_default()
    }

    fn bare_name(&self) -> String {
        format!("{}{}", self.name, self.suffix())
    }

    fn step_name(&self) -> String {
        let fork = if self.on_epoch { "_step" } else { "" };
        format!("{}{fork}{}", self.name, self.suffix())
    }

    fn epoch_name(&self) -> String {
        let fork = if self.on_step { "_epoch" } else { "" };
        format!("{}{fork}{}", self.name, self.suffix())
    }

    fn step_value(&self) -> Option<f64> {
        self.last.as_ref().filter(|_| self.on_step).map(LogValue::to_f64)
    }
}

/// The values of an epoch under the names that loggers, callbacks and the progress bar know them by.
#[derive(Default)]
pub(crate) struct EpochMetrics {
    pub(crate) row: Vec<(String, f64)>,
    pub(crate) callback: Vec<(String, f64)>,
}

impl Log {
    fn entry(&mut self, name: &Name<'_>, reduction: Reduction) -> &mut Logged {
        let same = |logged: &Logged| {
            logged.hook == name.hook && logged.dataloader_idx == name.dataloader_idx && logged.name == name.base
        };
        let index = self.logged.iter().position(same).unwrap_or(self.logged.len());
        if index == self.logged.len() {
            self.logged.push(Logged {
                hook: name.hook,
                name: name.base.to_owned(),
                dataloader_idx: name.dataloader_idx,
                last: None,
                epoch: Accumulator::new(reduction),
                finished: None,
                on_step: false,
                on_epoch: false,
                prog_bar: false,
                logger: true,
            });
        }
        let logged = &mut self.logged[index];
        if logged.epoch.reduction() != reduction {
            logged.epoch = Accumulator::new(reduction);
        }
        logged
    }

    /// The row of a step. Waits for the device.
    pub(crate) fn step_row(&self) -> Vec<(String, f64)> {
        let logged = self.logged.iter().filter(|logged| logged.logger);
        logged.filter_map(|logged| Some((logged.step_name(), logged.step_value()?))).collect()
    }

    /// What callbacks see: in training the last step's values, and at the end of an epoch its own, each under the name with
    /// and without `_step` and `_epoch`. Waits for the device.
    pub(crate) fn callback_metrics(&self, training: bool) -> Vec<(String, f64)> {
        let mut metrics = Vec::new();
        for logged in &self.logged {
            if training && let Some(step) = logged.step_value() {
                metrics.extend([(logged.step_name(), step), (logged.bare_name(), step)]);
            }
            if self.ended
                && let Ok(Some(value)) = logged.epoch.value()
            {
                metrics.extend([(logged.epoch_name(), value), (logged.bare_name(), value)]);
            }
        }
        metrics
    }

    pub(crate) fn progress_bar(&self) -> Vec<(String, f64)> {
        let shown = self.logged.iter().filter(|logged| logged.prog_bar);
        shown.filter_map(|logged| Some((logged.bare_name(), logged.step_value().or(logged.finished)?))).collect()
    }

    /// The values of the epoch, which begins anew. Waits for the device.
    pub(crate) fn end_epoch(&mut self, training: bool) -> Result<EpochMetrics, TchError> {
        self.ended = true;
        let mut metrics = EpochMetrics { row: Vec::new(), callback: self.callback_metrics(training) };
        for logged in &mut self.logged {
            let value = logged.epoch.value()?;
            if logged.logger {
                metrics.row.extend(value.map(|value| (logged.epoch_name(), value)));
            }
            logged.finished = value.or(logged.step_value()).or(logged.finished);
            logged.last = None;
            logged.epoch.reset();
        }
        self.ended = false;
        Ok(metrics)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.logged.clear();
        self.ended = false;
    }
}

impl RunContext {
    /// The running loop has come to the end of its epoch: from here on the epoch's values are read.
    pub(crate) fn epoch_end_reached(&mut self) {
        self.active_log().ended = true;
    }

    /// Forgets everything that was logged.
    pub(crate) fn forget_logged(&mut self) {
        self.training_log.clear();
        self.evaluation_log.clear();
        self.callback_metrics.clear();
    }

    /// Closes the epoch of the running loop: writes its row and tells the callbacks' metrics.
    pub(crate) fn end_logged_epoch(&mut self) -> Result<Vec<(String, f64)>, Error> {
        let training = self.running_stage == RunningStage::Training;
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
