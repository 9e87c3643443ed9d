//! `ctx.log`: values for each step and each epoch.

use super::RunContext;
use super::phase::{Anywhere, Context, LogsSteps, MayLog};
use crate::hook::Hook;
use crate::log::{Arguments, DATALOADER_SUFFIX, LogError, LogName, LogValue, Loggable, Name, Reduction};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A logged value with its options. It is recorded when it is dropped, at the end of the statement. A value that cannot be logged
/// makes the hook fail with a [`LogError`] when it returns.
///
/// Source: Lightning's [`self.log`](https://lightning.ai/docs/pytorch/stable/extensions/logging.html#log).
pub struct LogEntry<'a, At = Anywhere> {
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
    sync_dist: bool,
    dist_reduce_fx: Option<Reduction>,
}

// the bound is on the method, so that the compiler's error gives the reason instead of reporting an unknown method
impl<At> Context<At> {
    /// Logs a value under a name.
    ///
    /// By default, a training step logs the value of each step, and other hooks log that of the epoch; [`LogEntry::on_step`] and
    /// [`LogEntry::on_epoch`] change this. With both, the names get the suffixes `_step` and `_epoch`, and no other value may be
    /// logged under those names. A tensor is read or copied by the call, so that it may change afterwards; its value
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
    /// A function that hooks call, as this one, takes `ctx: &mut Context`. Called from a hook in which nothing can be logged, it fails; with
    /// [`&mut Context<impl Logs>`](crate::context::phase) such a call does not compile.
    ///
    /// All calls with the same name in a hook must have the same arguments, except for the batch size, as they log one value.
    /// A value logged as `step` replaces the step number in the loggers' row, and one logged as `epoch` the running epoch.
    ///
    /// A [metric](crate::metrics) is logged as it is, after its update, and may be logged under several names. Its value for the
    /// epoch is computed at the epoch's end. Then it is reset, even if it was only logged for the steps. Training, validation
    /// and each of several loaders need separate metrics. A checkpoint within the epoch saves the state of metrics logged
    /// in the steps. A metric that is only logged at the epoch's end may miss the batches before a resume: log it in the steps, with
    /// `on_step(false).on_epoch(true)`.
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
    pub fn log<'a, Name: LogName<'a>>(&'a mut self, name: Name, value: impl Loggable<Name>) -> LogEntry<'a, At>
    where
        At: MayLog,
    {
        self.entry(name.into_name(), value.into_log_value())
    }

    fn entry<'a>(&'a mut self, name: Cow<'a, str>, value: LogValue) -> LogEntry<'a, At> {
        let each_step = self.run.hook().is_some_and(Hook::logs_by_step);
        LogEntry {
            ctx: &mut self.run,
            at: PhantomData,
            name,
            value: Some(value),
            on_step: each_step,
            on_epoch: !each_step,
            prog_bar: false,
            logger: true,
            reduction: Reduction::Mean,
            batch_size: None,
            add_dataloader_idx: true,
            sync_dist: false,
            dist_reduce_fx: None,
        }
    }
}

impl<At> Context<At> {
    /// Logs several values, each as [`log`](Self::log) does by default. Lightning's
    /// [`log_dict`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#log-dict).
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use tch_lightning::prelude::*;
    /// fn log_losses(ctx: &mut Context, reconstruction: &Tensor, divergence: &Tensor) {
    ///     ctx.log_all([("reconstruction", reconstruction), ("divergence", divergence)]);
    /// }
    ///
    /// fn log_rates(ctx: &mut Context, rates: HashMap<String, f64>) {
    ///     ctx.log_all(rates);
    /// }
    /// ```
    pub fn log_all<'a, Name: LogName<'a>, V: Loggable<Name>>(&mut self, values: impl IntoIterator<Item = (Name, V)>)
    where
        At: MayLog,
    {
        for (name, value) in values {
            self.entry(name.into_name(), value.into_log_value());
        }
    }
}

impl<At> LogEntry<'_, At> {
    /// Sets whether the value of each step is kept, and written every `log_every_n_steps` steps.
    pub fn on_step(mut self, on_step: bool) -> Self
    where
        At: LogsSteps,
    {
        self.on_step = on_step;
        self
    }

    /// Sets whether the values of an epoch are reduced to one, which is written at the epoch's end.
    pub fn on_epoch(mut self, on_epoch: bool) -> Self {
        self.on_epoch = on_epoch;
        self
    }

    /// Shows the value in the progress bar.
    pub fn prog_bar(mut self) -> Self {
        self.prog_bar = true;
        self
    }

    /// Sets whether the value is passed to the loggers. Default true.
    pub fn logger(mut self, logger: bool) -> Self {
        self.logger = logger;
        self
    }

    /// Sets how the values of an epoch are reduced to one. Default [`Reduction::Mean`].
    pub fn reduce(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// Sets whether the values of all processes of a run become one; default false, so that the loggers get that of rank 0, and callbacks
    /// that of their own process. It is reduced as over the steps, or as [`dist_reduce_fx`](Self::dist_reduce_fx) says; a mean counts the
    /// batches of all processes with their sizes. All processes must log it, as they wait for one another: at the end of an epoch, and
    /// with [`on_step`](Self::on_step) after each optimizer step. The values of single evaluation batches are not joined.
    ///
    /// A [metric](crate::metrics) is always joined, by the reductions of its state.
    pub fn sync_dist(mut self, sync_dist: bool) -> Self {
        self.sync_dist = sync_dist;
        self
    }

    /// Joins the values of all processes as [`sync_dist`](Self::sync_dist) does, by this reduction.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// fn log_samples(ctx: &mut Context, samples: usize) {
    ///     // the mean of the steps, summed over the processes
    ///     ctx.log("samples_per_step", samples).on_step(false).on_epoch(true).dist_reduce_fx(Reduction::Sum);
    /// }
    /// ```
    pub fn dist_reduce_fx(mut self, reduction: Reduction) -> Self {
        (self.sync_dist, self.dist_reduce_fx) = (true, Some(reduction));
        self
    }

    /// Sets the weight of the value in a mean. Default: the size of the batch, or the count of a [`Weighted`](crate::module::Weighted).
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// Sets whether the suffix `/dataloader_idx_0` is added to the name if there are several loaders; default true. Without it,
    /// names that are logged in the batches of different loaders must differ.
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
        if !hook.can_log() {
            return Err(LogError::OutsideOfEpochs { name: self.name.clone().into_owned(), hook });
        }
        if self.on_step && !hook.can_log_by_step() {
            return Err(LogError::ByStep { name: self.name.clone().into_owned(), hook });
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
            sync_dist: self.sync_dist.then(|| self.dist_reduce_fx.unwrap_or(self.reduction)),
        };
        let weight = self.batch_size.or(value.weight()).unwrap_or(self.ctx.batch_size()) as f64;
        let name = Name { hook, dataloader_idx: self.ctx.dataloader_idx(), name: &self.name };
        let value = value.take(&self.name)?;
        let (log, other) = self.ctx.logs();
        log.record(name, value, arguments, weight, other)
    }
}

impl<At> Drop for LogEntry<'_, At> {
    fn drop(&mut self) {
        // `drop` cannot fail: the hook fails when it returns
        if let Err(refused) = self.record() {
            self.ctx.refuse_logged(refused);
        }
    }
}
