//! The trainer: it takes a module and data, and runs one of the four verbs.

mod ckpt_path;
mod failing;
mod found_checkpoint;
mod frozen;
mod misfit;
mod optimizers;
#[cfg(test)]
mod power_cut;
mod restoring;
mod saving;
mod set_up;
mod tuning;

pub use ckpt_path::CkptPath;
pub(crate) use found_checkpoint::{FoundCheckpoint, find_best_or_last, find_checkpoint};
pub use tuning::{BatchSizeFinder, BatchSizeMode, LearningRateCurve, LearningRateFinder, SweepMode};

use crate::callbacks::ModelCheckpoint;
use crate::checkpoint::Checkpoint;
use crate::config::TrainerConfig;
use crate::context::RunContext;
use crate::error::Error;
use crate::hook::Hook;
use crate::loggers::Logger;
use crate::loops::{self, Evaluation, Kind, TakesPrediction};
use crate::module::{
    Callback, Callbacks, DataSource, LightningModule, Optimizes, Predicts, Running, Tests, Trains, Validates,
};
use crate::native::AnomalyMode;
use crate::panic;
use crate::signal::Signals;
use crate::stage::Stage;
use misfit::check_before;
use set_up::{begin, end};
use std::path::Path;

/// Runs `fit`, `validate`, `test` and `predict` on a module. Lightning's
/// [`Trainer`](https://lightning.ai/docs/pytorch/stable/common/trainer.html).
///
/// The data is `&mut data` for a data module, `()` where the module has loaders of its own, or
/// [`Loaders`](crate::Loaders).
///
/// ```
/// use tch_lightning::prelude::*;
///
/// /// Fits a line to points.
/// struct Line {
///     vs: nn::VarStore,
///     layer: nn::Linear,
/// }
///
/// #[lightning_module]
/// impl Line {
///     fn parameters(&mut self) -> &mut nn::VarStore {
///         &mut self.vs
///     }
///
///     fn training_step(&self, batch: &(Tensor, Tensor)) -> Tensor {
///         let (x, y) = batch;
///         self.layer.forward(x).mse_loss(y, tch::Reduction::Mean)
///     }
///
///     fn train_dataloader(&mut self) -> Result<DataLoader<(Tensor, Tensor)>> {
///         let x = Tensor::linspace(-1.0, 1.0, 64, (Kind::Float, Device::Cpu)).unsqueeze(1);
///         let y = &x * 3.0 + 1.0;
///         Ok(DataLoader::new(TensorDataset::new((x, y))?).batch_size(16).shuffle(true))
///     }
///
///     fn configure_optimizers(&self) -> Sgd {
///         Sgd::new(0.3)
///     }
/// }
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
/// let mut line = Line { vs, layer };
/// let mut trainer = Trainer::new(TrainerConfig {
///     max_epochs: Some(30),
///     logger: false,
///     enable_checkpointing: false,
///     ..TrainerConfig::default()
/// });
/// trainer.fit(&mut line, ())?;
/// assert_eq!(trainer.context().global_step(), 120);
/// assert!((line.layer.ws.double_value(&[0, 0]) - 3.0).abs() < 1e-3);
/// # Ok::<(), tch_lightning::Error>(())
/// ```
pub struct Trainer<M: LightningModule> {
    config: TrainerConfig,
    callbacks: Callbacks<M>,
    ckpt_path: Option<CkptPath>,
    /// Whether a `fit` was begun, which then is the run that `best` and `last` mean.
    has_fit: bool,
    /// The running or the last run. Each run has a context of its own.
    ctx: RunContext,
}

/// What a verb logged for its epoch: names with their values.
pub type Metrics = Vec<(String, f64)>;

impl<M: LightningModule> Default for Trainer<M> {
    fn default() -> Self {
        Self::new(TrainerConfig::default())
    }
}

impl<M: LightningModule> Trainer<M> {
    /// A trainer of this configuration.
    pub fn new(config: TrainerConfig) -> Self {
        let ctx = RunContext::new(config.clone());
        Self { config, callbacks: Callbacks::default(), ckpt_path: None, has_fit: false, ctx }
    }

    /// Adds a callback after those that are there. Callbacks that write checkpoints are called after all others.
    pub fn callback(mut self, callback: impl Callback<M> + 'static) -> Self {
        self.callbacks.add(Box::new(callback));
        self
    }

    /// Adds callbacks whose types are known when the program runs, as those that a configuration names.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{EarlyStopping, LearningRateMonitor, LightningModule};
    /// fn trainer<M: LightningModule>(patience: Option<usize>) -> Trainer<M> {
    ///     let mut callbacks: Vec<Box<dyn Callback<M>>> = vec![Box::new(LearningRateMonitor::new())];
    ///     if let Some(patience) = patience {
    ///         callbacks.push(Box::new(EarlyStopping::new("val_loss").patience(patience)));
    ///     }
    ///     Trainer::default().callbacks(callbacks)
    /// }
    /// ```
    pub fn callbacks(mut self, callbacks: impl IntoIterator<Item = Box<dyn Callback<M>>>) -> Self {
        callbacks.into_iter().for_each(|callback| self.callbacks.add(callback));
        self
    }

    /// The first callback of this type: after a `fit`, to ask a [`ModelCheckpoint`](crate::ModelCheckpoint) for its best checkpoint.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{LightningModule, ModelCheckpoint};
    /// fn best<M: LightningModule>(trainer: &Trainer<M>) -> Option<&std::path::Path> {
    ///     trainer.find_callback::<ModelCheckpoint>()?.best_model_path()
    /// }
    /// ```
    pub fn find_callback<C: Callback<M>>(&self) -> Option<&C> {
        self.callbacks.find()
    }

    /// The first [`ModelCheckpoint`](crate::ModelCheckpoint), if there is one. Lightning's
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

    /// Adds a logger. Without any, a [`CsvLogger`](crate::CsvLogger) writes into the run's folder, unless the configuration says
    /// `logger: false`.
    pub fn logger(mut self, logger: impl Logger + 'static) -> Self {
        self.ctx.loggers_mut().give(Box::new(logger));
        self
    }

    /// The hyperparameters that go into checkpoints and to the loggers.
    pub fn hyper_parameters(mut self, hyper_parameters: serde_json::Value) -> Self {
        self.ctx.set_hyper_parameters(hyper_parameters);
        self
    }

    /// Sets the checkpoint that the next run begins from: a path, `"best"` or `"last"`. `fit` resumes from it; `validate`, `test` and
    /// `predict` take its weights. Without one, they take the module's weights as they are, as in Lightning where the module is passed.
    ///
    /// ```no_run
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{LightningModule, Optimizes, Tests, Trains};
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
    /// [`RunContext::save_checkpoint`].
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or why the file can't be written.
    pub fn save_checkpoint(
        &mut self,
        module: &mut M,
        mut data: impl DataSource<M>,
        path: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let (callbacks, ctx) = (&mut self.callbacks, &mut self.ctx);
        Running { module, callbacks, ctx, data: &mut data }.save_checkpoint(path.as_ref(), false)
    }

    /// The state of the last run.
    pub fn context(&self) -> &RunContext {
        &self.ctx
    }

    /// Trains the module, and validates it within training where it has a `validation_step` and there is a loader for it.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn fit(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<(), Error>
    where
        M: Trains + Optimizes,
    {
        self.run_fit(module, &mut data)
    }

    /// [`Trainer::fit`] where only the run tells whether the hooks are there.
    pub(crate) fn run_fit(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<(), Error> {
        of_manual_optimization::<M>(&self.config)?;
        let table = &<M as LightningModule>::TABLE;
        needs(Stage::Fit, Hook::TrainingStep, table.training_step.is_some())?;
        needs(Stage::Fit, Hook::ConfigureOptimizers, table.configure_optimizers.is_some())?;
        needs(Stage::Fit, Hook::TrainDataloader, data.has(Hook::TrainDataloader))?;
        self.run(Stage::Fit, module, data, |running, checkpoint| {
            running.begin_fit(checkpoint)?;
            loops::fit(running)?;
            running.on_fit_end()
        })
    }

    /// Runs the validation loop alone. Returns what was logged for the epoch.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn validate(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<Metrics, Error>
    where
        M: Validates,
    {
        self.run_validate(module, &mut data)
    }

    /// [`Trainer::validate`] where only the run tells whether the hooks are there.
    pub(crate) fn run_validate(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        let has_step = <M as LightningModule>::TABLE.validation_step.is_some();
        needs(Stage::Validate, Hook::ValidationStep, has_step)?;
        needs(Stage::Validate, Hook::ValDataloader, data.has(Hook::ValDataloader))?;
        self.run(Stage::Validate, module, data, |running, checkpoint| {
            running.restore_from(checkpoint.as_ref())?;
            running.log_hyper_parameters()?;
            Evaluation::new(Kind::Validation).run_alone(running)
        })
    }

    /// Runs the test loop. Returns what was logged for the epoch.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn test(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<Metrics, Error>
    where
        M: Tests,
    {
        self.run_test(module, &mut data)
    }

    /// [`Trainer::test`] where only the run tells whether the hooks are there.
    pub(crate) fn run_test(&mut self, module: &mut M, data: &mut dyn DataSource<M>) -> Result<Metrics, Error> {
        needs(Stage::Test, Hook::TestStep, <M as LightningModule>::TABLE.test_step.is_some())?;
        needs(Stage::Test, Hook::TestDataloader, data.has(Hook::TestDataloader))?;
        self.run(Stage::Test, module, data, |running, checkpoint| {
            running.restore_from(checkpoint.as_ref())?;
            running.log_hyper_parameters()?;
            Evaluation::new(Kind::Test).run_alone(running)
        })
    }

    /// Runs the predict loop. Returns what `predict_step` returned for each batch.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn predict(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<Vec<M::Prediction>, Error>
    where
        M: Predicts,
    {
        self.run_predict(module, &mut data, None)
    }

    /// Runs the predict loop, and hands each value of `predict_step` to `each` as it comes, so that none is kept in memory. Lightning's
    /// `return_predictions=False`.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::Loaders;
    /// # struct Doubler(nn::VarStore);
    /// #[lightning_module]
    /// impl Doubler {
    ///     fn predict_step(&self, batch: &Tensor) -> Tensor {
    ///         batch * 2.0
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.0 }
    /// }
    ///
    /// # let mut doubler = Doubler(nn::VarStore::new(Device::Cpu));
    /// let loader = DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0, 2.0, 3.0]))?).batch_size(2);
    /// let mut sum = 0.0;
    /// Doubler::trainer().predict_each(&mut doubler, Loaders::evaluation(loader), |prediction| {
    ///     sum += prediction.sum(Kind::Double).double_value(&[]);
    ///     Ok(())
    /// })?;
    /// assert_eq!(sum, 12.0);
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and [`Error::Prediction`] where `each` fails.
    pub fn predict_each(
        &mut self,
        module: &mut M,
        mut data: impl DataSource<M>,
        mut each: impl FnMut(M::Prediction) -> anyhow::Result<()>,
    ) -> Result<(), Error>
    where
        M: Predicts,
    {
        self.run_predict(module, &mut data, Some(&mut each)).map(drop)
    }

    /// [`Trainer::predict`] where only the run tells whether the hooks are there.
    pub(crate) fn run_predict(
        &mut self,
        module: &mut M,
        data: &mut dyn DataSource<M>,
        each: Option<TakesPrediction<'_, M::Prediction>>,
    ) -> Result<Vec<M::Prediction>, Error> {
        needs(Stage::Predict, Hook::PredictStep, <M as LightningModule>::TABLE.predict_step.is_some())?;
        needs(Stage::Predict, Hook::PredictDataloader, data.has(Hook::PredictDataloader))?;
        self.run(Stage::Predict, module, data, |running, checkpoint| {
            running.restore_from(checkpoint.as_ref())?;
            running.log_hyper_parameters()?;
            loops::predict(running, each)
        })
    }

    /// What all verbs have in common: the beginning, the end, and the end by an error.
    fn run<T>(
        &mut self,
        stage: Stage,
        module: &mut M,
        data: &mut dyn DataSource<M>,
        body: impl FnOnce(&mut Running<'_, M>, Option<Checkpoint>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.begin(stage)?;
        let _anomaly_mode = self.ctx.config().detect_anomaly.then(AnomalyMode::on);
        let checkpoint = self.ctx.ckpt_path().map(Checkpoint::read).transpose()?;
        match &checkpoint {
            Some(checkpoint) if stage == Stage::Fit => check_before(checkpoint, &self.ctx)?,
            Some(checkpoint) => *self.ctx.progress_mut() = checkpoint.metadata.progress.of_evaluation(),
            None => {}
        }
        let signals = catch_signals(self.ctx.config())?;
        self.ctx.set_signals(signals);
        let mut running = Running { module, callbacks: &mut self.callbacks, ctx: &mut self.ctx, data };
        let whole = || -> Result<T, Error> {
            running.ctx.begin_loggers(checkpoint.as_ref())?;
            begin(&mut running)?;
            if running.ctx.config().logger && stage != Stage::Predict {
                running.ctx.loggers_mut().make_if_none(stage, checkpoint.as_ref());
            }
            running.ctx.check_signals(None)?;
            let value = body(&mut running, checkpoint)?;
            running.ctx.checkpoint_writer().finish()?;
            running.ctx.log_saved_checkpoints()?;
            end(&mut running)?;
            Ok(value)
        };
        // the hooks' own panics are caught at their edges
        let outcome = panic::catch(|| Ok(whole()?));
        let outcome = outcome.map_err(|error| error.downcast().unwrap_or_else(|panic| panicked(running.ctx, &panic)));
        let outcome = outcome.map_err(|error| running.fail(error));
        self.ctx.untoggle_optimizer();
        if outcome.is_err() {
            self.ctx.release_metrics();
        }
        self.ctx.set_signals(Signals::default());
        self.ctx.checkpoint_folders().release();
        self.ctx.report_skipped();
        outcome
    }

    /// Makes the context of a new run. Of the run before, nothing is left in it or among the callbacks.
    fn begin(&mut self, stage: Stage) -> Result<(), Error> {
        self.config.validate()?;
        let config = self.config.clone().resolved();
        let device = config.accelerator.device(&config.devices)?;
        // of the run before, whose callbacks and context know its checkpoints
        let ckpt_path = self.ckpt_path.take();
        let ckpt_path = ckpt_path.map(|path| self.find_checkpoint(&path, stage)).transpose()?.flatten();
        self.has_fit |= stage == Stage::Fit;
        self.callbacks.begin_run();
        let before = std::mem::replace(&mut self.ctx, RunContext::new(TrainerConfig::default()));
        self.ctx = RunContext::of_run(config, stage, device, before);
        self.ctx.set_ckpt_path(ckpt_path);
        Ok(())
    }
}

/// The signals that end a run from now on.
fn catch_signals(config: &TrainerConfig) -> Result<Signals, Error> {
    if !config.handle_signals {
        return Ok(Signals::default());
    }
    Signals::catch().map_err(|error| {
        Error::configuration(format!("the signals can't be handled ({error}): set `handle_signals` to false"))
    })
}

fn panicked(ctx: &RunContext, panic: &anyhow::Error) -> Error {
    let epoch = ctx.running_epoch();
    Error::Panic {
        stage: ctx.stage(),
        running_stage: ctx.running_stage(),
        epoch,
        batch_idx: ctx.batch_idx(),
        message: panic.to_string(),
    }
}

fn needs(stage: Stage, hook: Hook, is_there: bool) -> Result<(), Error> {
    if is_there { Ok(()) } else { Err(Error::Missing { stage, hook }) }
}

/// What the trainer does in automatic optimization only.
fn of_manual_optimization<M: LightningModule>(config: &TrainerConfig) -> Result<(), Error> {
    let asked = [
        ("accumulate_grad_batches", config.accumulate_grad_batches != 1),
        ("gradient_clip_val", config.gradient_clip_val.is_some_and(|value| value > 0.0)),
    ];
    match asked.iter().find(|(_, asked)| *asked && !M::AUTOMATIC_OPTIMIZATION) {
        Some((name, _)) => Err(Error::configuration(format!(
            "`{name}` is for automatic optimization, and this module optimizes manually: do it in `training_step`"
        ))),
        None => Ok(()),
    }
}
