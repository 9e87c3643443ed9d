//! The trainer: it takes a module and data, and runs one of the four verbs.
//!
//! [`Trainer`] has Lightning's methods, and [`TrainerConfig`] its arguments.

// The files in the order of a run: `verbs` starts it, `requirements` checks for the hooks that it needs, `found_checkpoint`
// finds the checkpoint to start from, and `misfit` checks that it fits. `set_up` calls the hooks before and after the loop.
// `optimizers` and `restoring` create the optimizers of a `fit` and restore their state. `saving` writes the checkpoints that
// the loop requests, and `run_file` how the run began and ended. `to_torchscript` traces `predict_step`. `ending` and `failing` handle errors.

mod backend_settings;
mod ckpt_path;
mod configured;
#[cfg(feature = "dashboard")]
mod dashboard;
mod ending;
mod failing;
mod found_checkpoint;
mod frozen;
mod lightning;
mod loggers;
mod misfit;
mod optimizers;
mod plan;
#[cfg(test)]
mod power_cut;
mod processes;
mod requirements;
mod restoring;
mod run_file;
mod saving;
mod set_up;
mod to_torchscript;
mod tuning;
mod verbs;
pub(crate) mod written_otherwise;

pub use crate::config::{
    BatchLimit, Deterministic, FastDevRun, Float32MatmulPrecision, GradientClipAlgorithm, LoggerChoice, LoggerConfig,
    NonFiniteLoss, Resume, TrainerConfig, ValCheckInterval,
};
pub use crate::context::EndReason;
pub use crate::log::{MetricName, Metrics};
pub use crate::signal::Signal;
pub use crate::span::Span;
pub use ckpt_path::CkptPath;
pub(crate) use found_checkpoint::{FoundCheckpoint, find_best_or_last, find_checkpoint};
pub(crate) use plan::plan_of_every_hook;
pub(crate) use run_file::{Outcome, RUN_FILE, RunFile};
pub use tuning::{BatchSizeFinder, BatchSizeMode, LearningRateCurve, LearningRateFinder, SweepMode};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::context::RunContext;
use crate::data::Seed;
use crate::error::Error;
use crate::module::{Callbacks, DataSource, LightningModule, Optimizes, Predicts, Run, Tests, Trains, Validates};
use crate::native::AnomalyMode;
use crate::panic;
use crate::signal::Signals;
use crate::stage::Stage;
use crate::strategy::{self, Call, Requested, StartingPoint, Strategy, StrategyError};
use crate::training_mode::TrainingMode;
use ending::{catch_signals, panicked};
use misfit::check_before;
use std::any::type_name;
use std::path::{Path, PathBuf};
use tch::Device;

/// Runs `fit`, `validate`, `test` and `predict` on a module. Lightning's
/// [`Trainer`](https://lightning.ai/docs/pytorch/stable/common/trainer.html).
///
/// The data is `&mut data` for a data module, `()` if the module has its own loaders, or
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
///     logger: false.into(),
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
    /// The configuration of the program apart from the trainer's, which all processes must have in common.
    settings: Option<serde_json::Value>,
    /// Whether a `fit` was begun, which then is the run that `best` and `last` mean.
    has_fit: bool,
    /// The context of the current or the last run.
    ctx: RunContext,
}

impl<M: LightningModule> Trainer<M> {
    /// Trains the module, and validates it during training if it has a `validation_step` and there is a loader for it.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn fit(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<(), Error>
    where
        M: Trains + Optimizes,
    {
        self.run_fit(module, &mut data)
    }

    /// Runs only the validation loop. Returns the values logged for the epoch.
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks.
    pub fn validate(&mut self, module: &mut M, mut data: impl DataSource<M>) -> Result<Metrics, Error>
    where
        M: Validates,
    {
        self.run_validate(module, &mut data)
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

    /// Runs the predict loop, and passes each value of `predict_step` to `each`, so that predictions are not kept in memory. Lightning's
    /// `return_predictions=False`.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
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

    /// Runs a verb: the set-up, the loop `body`, the end, and the handling of errors.
    fn run<T>(
        &mut self,
        stage: Stage,
        module: &mut M,
        data: &mut dyn DataSource<M>,
        body: impl FnOnce(&mut Run<'_, M>, Option<Checkpoint>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let strategy = self.connect(stage)?;
        self.begin(stage, strategy)?;
        let checkpoint = self.ctx.begin_profiling(type_name::<M>()).map_err(Error::from);
        let checkpoint = checkpoint.and_then(|()| self.read_checkpoint(stage));
        let checkpoint = checkpoint.map_err(|error| fail_early(self.ctx.strategy_mut(), error))?;
        let _training_mode = TrainingMode::enter(stage == Stage::Fit);
        let _anomaly_mode = self.ctx.config().detect_anomaly.then(AnomalyMode::on);
        let signals = catch_signals(self.ctx.config())?;
        self.ctx.set_signals(signals);
        let mut run = Run { module, callbacks: &mut self.callbacks, ctx: &mut self.ctx, data };
        let whole = || -> Result<T, Error> {
            let continued = checkpoint.as_ref().filter(|_| stage != Stage::Fit || run.ctx.is_resumed());
            run.set_up(continued)?;
            let value = body(&mut run, checkpoint)?;
            run.tear_down()?;
            Ok(value)
        };
        // the hooks' own panics are caught at their edges
        let outcome = panic::catch(|| Ok(whole()?));
        let outcome = outcome.map_err(|error| error.downcast().unwrap_or_else(|panic| panicked(run.ctx, &panic)));
        let outcome = outcome.map_err(|error| run.fail(error));
        self.release(outcome.is_err());
        outcome
    }

    /// Reads the checkpoint that the run starts from. Rejects one that `fit` cannot resume from.
    fn read_checkpoint(&mut self, stage: Stage) -> Result<Option<Checkpoint>, Error> {
        let rank = self.ctx.rank();
        let read = |path| -> Result<Checkpoint, Error> {
            let whole = Checkpoint::read(path)?;
            self.check_starting_point(Some((&whole, path)))?;
            Ok(whole.of_rank(rank, path)?)
        };
        let checkpoint = match self.ctx.ckpt_path() {
            Some(path) => Some(read(path)?),
            None => self.check_starting_point(None).map(|()| None)?,
        };
        match &checkpoint {
            Some(checkpoint) if stage == Stage::Fit => check_before(checkpoint, &self.ctx)?,
            Some(checkpoint) => *self.ctx.progress_mut() = checkpoint.metadata.progress.of_evaluation(),
            None => {}
        }
        Ok(checkpoint)
    }

    /// Fails unless all processes start from the same checkpoint.
    fn check_starting_point(&self, own: Option<(&Checkpoint, &Path)>) -> Result<(), Error> {
        if self.ctx.world_size() == 1 {
            return Ok(());
        }
        let own = own.map(|(Checkpoint { metadata, .. }, path)| -> Result<StartingPoint, CheckpointError> {
            let (path, checksum) = (path.to_owned(), Checkpoint::checksum(path)?);
            Ok(StartingPoint { path, epoch: metadata.epoch, global_step: metadata.global_step, checksum })
        });
        let own = own.transpose()?;
        Ok(strategy::check_starting_points(self.ctx.strategy(), own.as_ref())?)
    }

    /// Releases the resources of a run after its end.
    fn release(&mut self, has_failed: bool) {
        self.ctx.strategy_mut().end();
        self.ctx.end_observation();
        self.ctx.end_profiling();
        self.ctx.untoggle_optimizer();
        if has_failed {
            self.ctx.release_metrics();
        }
        self.ctx.set_signals(Signals::default());
        self.ctx.checkpoint_folders().release();
        self.ctx.report_skipped();
    }

    /// Connects this process to the others of the run, if there are to be several.
    fn connect(&self, stage: Stage) -> Result<Box<dyn Strategy>, Error> {
        self.config.validate()?;
        self.with_requested(|requested| strategy::connect(requested, &stage.to_string()))
    }

    /// Fails if runs of this trainer have several processes, with which `method` cannot be used.
    fn refuse_processes(&self, method: &str) -> Result<(), Error> {
        self.config.validate()?;
        match self.with_requested(strategy::processes)? {
            1 => Ok(()),
            processes => Err(Error::configuration(format!(
                "`{method}` cannot be used with {processes} processes: use it in a program of one process"
            ))),
        }
    }

    fn with_requested<T>(&self, ask: impl FnOnce(&Requested<'_>) -> Result<T, StrategyError>) -> Result<T, Error> {
        let Self { config, .. } = self;
        let configuration = || {
            let mut configuration = serde_json::to_value(config).unwrap_or_default();
            let others = match (&self.settings, self.ctx.hyper_parameters()) {
                (Some(settings), _) => settings.clone(),
                (None, Some(hyper_parameters)) => serde_json::json!({ "hyper_parameters": hyper_parameters }),
                (None, None) => return configuration,
            };
            if let (Some(all), serde_json::Value::Object(others)) = (configuration.as_object_mut(), others) {
                all.extend(others);
            }
            configuration
        };
        let requested = requested(config, type_name::<M>(), &configuration);
        Ok(ask(&requested)?)
    }

    /// Creates the context of a new run, and removes the state of the previous run from it and from the callbacks.
    fn begin(&mut self, stage: Stage, mut strategy: Box<dyn Strategy>) -> Result<(), Error> {
        let config = self.config.clone().resolved();
        let prepared = self.prepare(&config, stage, &mut *strategy);
        let (device, seed, ckpt_path) = prepared.map_err(|error| fail_early(&mut *strategy, error))?;
        self.has_fit |= stage == Stage::Fit;
        self.callbacks.begin_run();
        let before = std::mem::replace(&mut self.ctx, RunContext::new(TrainerConfig::default()));
        self.ctx = RunContext::of_run(config, stage, (strategy, device), before);
        self.ctx.set_seed(seed);
        self.ctx.set_ckpt_path(ckpt_path);
        Ok(())
    }

    /// Returns the device, the seed and the checkpoint of a new run.
    fn prepare(
        &mut self,
        config: &TrainerConfig,
        stage: Stage,
        strategy: &mut dyn Strategy,
    ) -> Result<(Device, Seed, Option<PathBuf>), Error> {
        let device = config.accelerator.device_of(&config.devices, strategy.rank().local)?;
        if strategy.rank().world_size > 1 {
            // another verb takes part in other operations
            strategy.group().compare(Call::of_program(&stage.to_string()))?;
        }
        strategy.place(device)?;
        let seed = strategy.seed(Seed::current())?;
        backend_settings::apply(config)?;
        // before the callbacks and the context of the previous run, which have its checkpoints, are replaced
        let ckpt_path = self.ckpt_path.take();
        let ckpt_path = ckpt_path.map(|path| self.find_checkpoint(&path, stage)).transpose()?.flatten();
        Ok((device, seed, ckpt_path))
    }
}

fn requested<'a>(
    config: &'a TrainerConfig,
    program: &'a str,
    configuration: &'a dyn Fn() -> serde_json::Value,
) -> Requested<'a> {
    let TrainerConfig { strategy, accelerator, devices, num_nodes, .. } = config;
    Requested { strategy, accelerator: *accelerator, devices, num_nodes: *num_nodes, program, configuration }
}

/// Returns the seed that rank 0 of a run with this configuration has drawn, which is this process's own if it runs alone.
pub(crate) fn seed_of_rank_zero(config: &TrainerConfig, drawn: i64) -> Result<i64, Error> {
    config.validate()?;
    Ok(strategy::seed_of_rank_zero(&requested(config, "", &serde_json::Value::default), drawn)?)
}

/// Reports an error before the run to the other processes, which wait for this one.
fn fail_early(strategy: &mut dyn Strategy, error: Error) -> Error {
    let first = strategy.fail(&error.to_string(), None);
    strategy.end();
    first.map_or(error, Error::from)
}
