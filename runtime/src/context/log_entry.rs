//! `ctx.log`: a value for each step and for each epoch.

use super::RunContext;
use super::phase::{Context, Logs, LogsSteps, Step};
use crate::hook::Hook;
use crate::log::{Arguments, DATALOADER_SUFFIX, LogError, LogValue, Name, Reduction};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A value being logged, with what is to happen to it. It is recorded at the end of the statement; what can't be logged makes
/// the hook fail when it returns, with a [`LogError`].
///
/// Source: Lightning's [`self.log`](https://lightning.ai/docs/pytorch/stable/extensions/logging.html#log).
pub struct LogEntry<'a, At = Step> {
    ctx: &'a mut RunContext,
    at: PhantomData<At>,
    name: Cow<'a, str>,
    value: Option<LogValue>,
    on_step: bool,
    on_epoch: bool,
    prog_bar: bool,
    logger: bool,
    reduction: Reduction,
    batch_size: Option<usize>,
    add_dataloader_idx: bool,
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
    /// A function that logs for hooks of several kinds takes `&mut Context<impl Logs>`:
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// fn log_norm(ctx: &mut Context<impl Logs>, weight: &Tensor) {
    ///     ctx.log("weight_norm", weight.norm());
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
    pub fn log<'a>(&'a mut self, name: impl Into<Cow<'a, str>>, value: impl Into<LogValue>) -> LogEntry<'a, At>
    where
        At: Logs,
    {
        let each_step = self.hook().is_some_and(Hook::logs_by_step);
        LogEntry {
            ctx: &mut self.run,
            at: PhantomData,
            name: name.into(),
            value: Some(value.into()),
            on_step: each_step,
            on_epoch: !each_step,
            prog_bar: false,
            logger: true,
            reduction: Reduction::Mean,
            batch_size: None,
            add_dataloader_idx: true,
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

    /// Whether the name gets the suffix `/dataloader_idx_0` where there are several loaders; it does unless this says otherwise.
    /// Without it, the names that are logged in the batches of different loaders must differ.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// fn log_accuracy(ctx: &mut Context, accuracy: &Tensor, dataloader_idx: usize) {
    ///     let name = ["clean_acc", "noisy_acc"][dataloader_idx];
    ///     ctx.log(name, accuracy).add_dataloader_idx(false);
    /// }
    /// ```
    pub fn add_dataloader_idx(mut self, add_dataloader_idx: bool) -> Self {
        self.add_dataloader_idx = add_dataloader_idx;
        self
    }

    fn record(&mut self) -> Result<(), String> {
        let Some(hook) = self.ctx.hook() else { return Err(format!("`{}` was logged outside of a hook", self.name)) };
        let Some(value) = self.value.take() else { return Ok(()) };
        self.record_in(hook, value).map_err(|error| error.to_string())
    }

    fn record_in(&mut self, hook: Hook, value: LogValue) -> Result<(), LogError> {
        if self.name.contains(DATALOADER_SUFFIX) {
            return Err(LogError::DataloaderIdx { name: self.name.clone().into_owned() });
        }
        if !self.on_step && !self.on_epoch {
            return Err(LogError::Nowhere { name: self.name.clone().into_owned() });
        }
        let arguments = Arguments {
            on_step: self.on_step,
            on_epoch: self.on_epoch,
            prog_bar: self.prog_bar,
            logger: self.logger,
            reduction: self.reduction,
            add_dataloader_idx: self.add_dataloader_idx,
        };
        let weight = self.batch_size.unwrap_or(self.ctx.batch_size()) as f64;
        let name = Name { hook, dataloader_idx: self.ctx.dataloader_idx(), name: &self.name };
        let value = value.take(&self.name)?;
        let (log, other) = self.ctx.logs();
        log.record(name, value, arguments, weight, other)
    }
}

impl<At> Drop for LogEntry<'_, At> {
    fn drop(&mut self) {
        // a drop can't fail: the hook does, when it returns
        if let Err(refused) = self.record() {
            self.ctx.refuse_logged(refused);
        }
    }
}
