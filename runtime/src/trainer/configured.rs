//! Configuring a trainer before its runs, and reading its state after them.

use super::{CkptPath, Trainer, loggers};
use crate::callbacks::ModelCheckpoint;
use crate::config::TrainerConfig;
use crate::context::{ChosenOptimizer, ConfigurationFile, RunContext};
use crate::error::Error;
use crate::log::Metrics;
use crate::loggers::Logger;
use crate::module::{Callback, Callbacks, DataSource, IntoCallbacks, LightningModule, Run};
use std::path::Path;

impl<M: LightningModule> Default for Trainer<M> {
    fn default() -> Self {
        Self::new(TrainerConfig::default())
    }
}

impl<M: LightningModule> Trainer<M> {
    /// Creates a trainer with this configuration, and the loggers that it names.
    pub fn new(config: TrainerConfig) -> Self {
        let mut ctx = RunContext::new(config.clone());
        if config.fast_dev_run.batches().is_none() {
            let named = config.logger.named().iter().filter_map(loggers::create);
            named.for_each(|logger| ctx.loggers_mut().give(logger));
        }
        Self { config, callbacks: Callbacks::default(), ckpt_path: None, settings: None, has_fit: false, ctx }
    }

    /// Adds a callback after the others. Callbacks that write checkpoints are called after all others.
    pub fn callback(mut self, callback: impl Callback<M> + 'static) -> Self {
        self.callbacks.add(Box::new(callback));
        self
    }

    /// Adds several callbacks, as [`callback`](Self::callback) does: a tuple, an `Option`, a `Vec` or an array of callbacks, or of
    /// `Box<dyn Callback<M>>` if the types are only known at run time.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{callbacks::{EarlyStopping, LearningRateMonitor}, LightningModule};
    /// fn trainer<M: LightningModule>(patience: Option<usize>) -> Trainer<M> {
    ///     let stopping = patience.map(|patience| EarlyStopping::new("val_loss").patience(patience));
    ///     Trainer::default().callbacks((LearningRateMonitor::new(), stopping))
    /// }
    /// ```
    pub fn callbacks<Kind>(mut self, callbacks: impl IntoCallbacks<M, Kind>) -> Self {
        callbacks.into_callbacks().into_iter().for_each(|callback| self.callbacks.add(callback));
        self
    }

    /// Adds a callback in place of the first one of its type, if there is one.
    pub(crate) fn replace_callback(&mut self, callback: impl Callback<M> + 'static) {
        self.callbacks.replace(callback);
    }

    /// Returns the first callback of this type, such as a [`ModelCheckpoint`] to get its best checkpoint after a `fit`.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{callbacks::ModelCheckpoint, LightningModule};
    /// fn best<M: LightningModule>(trainer: &Trainer<M>) -> Option<&std::path::Path> {
    ///     trainer.find_callback::<ModelCheckpoint>()?.best_model_path()
    /// }
    /// ```
    pub fn find_callback<C: Callback<M>>(&self) -> Option<&C> {
        self.callbacks.find()
    }

    /// Returns the first [`ModelCheckpoint`], if there is one. Lightning's
    /// [`checkpoint_callback`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#checkpoint-callback).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::LightningModule;
    /// fn best<M: LightningModule>(trainer: &Trainer<M>) -> Option<&std::path::Path> {
    ///     trainer.checkpoint_callback()?.best_model_path()
    /// }
    /// ```
    pub fn checkpoint_callback(&self) -> Option<&ModelCheckpoint> {
        self.find_callback()
    }

    /// The epoch of the current or the last run, from 0.
    pub fn current_epoch(&self) -> usize {
        self.ctx.current_epoch()
    }

    /// The number of optimizer steps of the current or the last run, with those of the checkpoint that it resumed from.
    pub fn global_step(&self) -> usize {
        self.ctx.global_step()
    }

    /// Adds a logger, after those that [`logger`](field@TrainerConfig::logger) of the configuration names. By default, a
    /// [`CsvLogger`](crate::loggers::CsvLogger) writes into the run's folder, unless the configuration has `logger: false`.
    pub fn logger(mut self, logger: impl Logger + 'static) -> Self {
        self.ctx.loggers_mut().give(Box::new(logger));
        self
    }

    /// The hyperparameters that go into checkpoints and to the loggers.
    pub fn hyper_parameters(mut self, hyper_parameters: serde_json::Value) -> Self {
        self.ctx.set_hyper_parameters(hyper_parameters);
        self
    }

    /// Sets the optimizer of each `fit`, in place of those of `configure_optimizers`.
    pub(crate) fn chosen_optimizer(mut self, optimizer: Option<ChosenOptimizer>) -> Self {
        self.ctx.set_chosen_optimizer(optimizer);
        self
    }

    /// Sets the text of `config.yaml`, which is written into the folder of each run when the folder is created.
    pub(crate) fn configuration_file(mut self, file: ConfigurationFile) -> Self {
        self.ctx.set_configuration_file(file);
        self
    }

    /// Sets the configuration of the program apart from the trainer's, which all processes of a run must have in common.
    pub(crate) fn settings(self, settings: serde_json::Value) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// Sets the checkpoint that the next run starts from: a path, `"best"` or `"last"`. `fit` resumes from it; `validate`, `test` and
    /// `predict` take its weights. Without one, they use the module's current weights, as Lightning does for a module that is passed to it.
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{module::{Optimizes, Tests, Trains}, LightningModule};
    /// # fn run<M: LightningModule + Trains + Optimizes + Tests>(mut trainer: Trainer<M>, mut module: M) -> Result<()> {
    /// trainer.fit(&mut module, ())?;
    /// trainer.ckpt_path("best").test(&mut module, ())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn ckpt_path(mut self, ckpt_path: impl Into<CkptPath>) -> Self {
        self.ckpt_path = Some(ckpt_path.into());
        self
    }

    /// Writes a checkpoint of the module and of the last run. In hooks there is
    /// [`RunContext::save_checkpoint`]. If there are several processes, all must call this; rank 0 writes the file.
    ///
    /// # Errors
    /// [`Error`] if a hook fails, or the file cannot be written.
    pub fn save_checkpoint(
        &mut self,
        module: &mut M,
        mut data: impl DataSource<M>,
        path: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let (callbacks, ctx) = (&mut self.callbacks, &mut self.ctx);
        Run { module, callbacks, ctx, data: &mut data }.save_checkpoint(path.as_ref(), false)
    }

    /// The state of the last run.
    pub fn context(&self) -> &RunContext {
        &self.ctx
    }

    /// The logged values of the last run, under the names that callbacks monitor, as
    /// [`RunContext::callback_metrics`]. Lightning's `trainer.callback_metrics`.
    pub fn callback_metrics(&self) -> Metrics {
        self.ctx.callback_metrics()
    }

    /// The values that the last run logged with `.prog_bar()`. Lightning's `trainer.progress_bar_metrics`.
    pub fn progress_bar_metrics(&self) -> Metrics {
        self.ctx.progress_bar_metrics()
    }
}
