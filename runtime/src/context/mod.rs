//! What a hook sees of the run: counters, the log, the optimizers, the device. Never the loops.

pub mod at;
mod checkpoint_folders;
mod clock;
mod end;
mod interruption;
mod lent;
mod log;
mod log_dir;
mod loggers;
mod losses;
mod lr_schedulers;
mod precision;
mod progress;
mod redone;
mod run_state;
mod save_request;
mod toggle;

pub use at::Context;
pub(crate) use checkpoint_folders::{CHECKPOINTS, checkpoint_folders};
pub(crate) use clock::Clock;
pub use end::EndReason;
pub(crate) use interruption::Interruption;
pub use log::{LogEntry, LogError, LogValue, Reduction};
pub(crate) use log_dir::{LOGS, versions};
pub use lr_schedulers::RunningLrScheduler;
pub(crate) use progress::{Position, Progress};
pub(crate) use run_state::{RANDOM, Refrozen, RunState};
pub(crate) use save_request::PendingSave;
pub use save_request::SaveRequest;

use crate::checkpoint::Checkpoint;
use crate::checkpoint::folders::Folders;
use crate::checkpoint::writer::Writer;
use crate::config::{GradientClipAlgorithm, TrainerConfig};
use crate::data::{SavedLoader, Seed};
use crate::error::Error;
use crate::hook::Hook;
use crate::native::RandomState;
use crate::optim::{Optimizer, OptimizerIndex};
use crate::precision::GradScaler;
use crate::signal::Signals;
use crate::stage::{RunningStage, Stage};
use lent::Lent;
use log::{Log, NamedTensors, SavedLog};
use log_dir::LogDir;
pub(crate) use loggers::Loggers;
use losses::Losses;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::Device;
use toggle::Toggled;

/// The state of a run. Every hook may ask for it as [`Context`], which is this with the log of its moment; what is written
/// for several hooks takes `&mut RunContext`.
pub struct RunContext {
    pub(crate) config: TrainerConfig,
    pub(crate) stage: Stage,
    pub(crate) running_stage: RunningStage,
    pub(crate) device: Device,
    /// What loaders without a seed of their own follow.
    pub(crate) seed: Seed,
    /// The seed of the `fit` before, in a run of another verb.
    trained_with: Seed,
    pub(crate) progress: Progress,
    /// The loader of the running training epoch.
    pub(crate) train_loader: Option<SavedLoader>,
    /// Whether a training epoch is running, so that what fails can say in which.
    pub(crate) in_epoch: bool,
    pub(crate) batch_idx: Option<usize>,
    pub(crate) batch_size: usize,
    pub(crate) dataloader_idx: Option<usize>,
    /// The batches of a training epoch; `None` where the loader does not know.
    pub(crate) num_training_batches: Option<usize>,
    /// The batches of each validation loader; empty before they are made.
    pub(crate) num_val_batches: Vec<Option<usize>>,
    /// Whether a hook asked training to stop.
    pub(crate) should_stop: bool,
    /// Why, as the hook that asked first said it.
    stop_reason: Option<String>,
    /// Why training has ended.
    end_reason: Option<EndReason>,
    /// Whether a hook has set `accumulate_grad_batches`, in place of the trainer's own.
    sets_accumulation: bool,
    /// Whether training steps run for the module's buffers alone, without gradients and optimizer.
    pub(crate) skip_backward: bool,
    pub(crate) optimizers: Vec<Optimizer>,
    pub(crate) lr_schedulers: Vec<RunningLrScheduler>,
    pub(crate) grad_scaler: Option<GradScaler>,
    pub(crate) losses: Losses,
    pub(crate) signals: Signals,
    pub(crate) loggers: Loggers,
    pub(crate) hook: Option<Hook>,
    pub(crate) training_log: Log,
    /// What the `fit` before has logged of its epoch, in a run of another verb.
    log_of_fit: Option<Log>,
    /// What was logged of an epoch that was cut short, before its end.
    cut_log: Option<(SavedLog, NamedTensors)>,
    pub(crate) evaluation_log: Log,
    pub(crate) callback_metrics: BTreeMap<String, f64>,
    pub(crate) refused_log: Option<String>,
    pub(crate) hyper_parameters: Option<serde_json::Value>,
    pub(crate) ckpt_path: Option<PathBuf>,
    /// Whether the validation within training has run.
    pub(crate) has_validated: bool,
    /// When the validation within training was due last.
    pub(crate) validation_clock: Clock,
    /// Whether a checkpoint was written in this run.
    pub(crate) has_saved: bool,
    pub(crate) lent: Lent,
    /// What was predicted, while `on_predict_epoch_end` is called.
    pub(crate) predictions: Lent,
    pub(crate) save_requests: Vec<SaveRequest>,
    /// Requested checkpoints, queued until the next point from which training can resume.
    pub(crate) pending_saves: Vec<PendingSave>,
    pub(crate) checkpoint_writer: Writer,
    pub(crate) checkpoint_folders: Folders,
    /// The checkpoint that the run began from, until training goes on.
    pub(crate) resumed: Option<Checkpoint>,
    /// Whether all of the checkpoint that a `fit` began from was taken over.
    pub(crate) is_restored: bool,
    /// The random numbers before what a resumed run does again, if this one fails now.
    random_before_redone: Option<RandomState>,
    toggled: Toggled,
    /// The names of the parameters that were frozen before `configure_optimizers` and `on_fit_start`.
    pub(crate) frozen_at_start: Vec<String>,
    log_dir: LogDir,
}

impl RunContext {
    pub(crate) fn new(config: TrainerConfig) -> Self {
        Self {
            log_dir: LogDir::under(&config.default_root_dir),
            config,
            stage: Stage::Fit,
            running_stage: RunningStage::Training,
            device: Device::Cpu,
            seed: Seed::current(),
            trained_with: Seed::current(),
            progress: Progress::default(),
            train_loader: None,
            in_epoch: false,
            batch_idx: None,
            batch_size: 1,
            dataloader_idx: None,
            num_training_batches: None,
            num_val_batches: Vec::new(),
            should_stop: false,
            stop_reason: None,
            end_reason: None,
            sets_accumulation: false,
            skip_backward: false,
            optimizers: Vec::new(),
            lr_schedulers: Vec::new(),
            grad_scaler: None,
            losses: Losses::default(),
            signals: Signals::default(),
            loggers: Loggers::default(),
            hook: None,
            training_log: Log::default(),
            log_of_fit: None,
            cut_log: None,
            evaluation_log: Log::default(),
            callback_metrics: BTreeMap::new(),
            refused_log: None,
            hyper_parameters: None,
            ckpt_path: None,
            has_validated: false,
            validation_clock: Clock::default(),
            has_saved: false,
            lent: Lent::default(),
            predictions: Lent::default(),
            save_requests: Vec::new(),
            pending_saves: Vec::new(),
            checkpoint_writer: Writer::default(),
            checkpoint_folders: Folders::default(),
            resumed: None,
            is_restored: false,
            random_before_redone: None,
            toggled: Toggled::default(),
            frozen_at_start: Vec::new(),
        }
    }

    /// The state of a run that begins. Of the run before, it has the loggers that the user gave and the hyperparameters; a run
    /// other than `fit` also has what a `fit` is resumed with, and logs to where it has logged.
    pub(crate) fn of_run(config: TrainerConfig, stage: Stage, device: Device, before: Self) -> Self {
        let trained_with = before.training_seed();
        let mut ctx = Self {
            stage,
            running_stage: stage.into(),
            device,
            loggers: before.loggers,
            hyper_parameters: before.hyper_parameters,
            ..Self::new(config)
        };
        ctx.losses.as_on_a_gpu = before.losses.as_on_a_gpu;
        if stage == Stage::Fit {
            ctx.loggers.forget_made();
            return ctx;
        }
        // what a `fit` has trained is what is evaluated: its rows belong to that step, and it can still be saved
        if before.sets_accumulation {
            ctx.config.accumulate_grad_batches = before.config.accumulate_grad_batches;
        }
        Self {
            log_dir: before.log_dir,
            progress: before.progress,
            optimizers: before.optimizers,
            lr_schedulers: before.lr_schedulers,
            grad_scaler: before.grad_scaler,
            trained_with,
            log_of_fit: before.log_of_fit.or_else(|| (before.stage == Stage::Fit).then_some(before.training_log)),
            train_loader: before.train_loader,
            sets_accumulation: before.sets_accumulation,
            has_validated: before.has_validated,
            validation_clock: before.validation_clock,
            should_stop: before.should_stop,
            stop_reason: before.stop_reason,
            frozen_at_start: before.frozen_at_start,
            ..ctx
        }
    }

    /// The seed of the `fit` that is running, or was before a run of another verb.
    pub(crate) fn training_seed(&self) -> Seed {
        if self.stage == Stage::Fit { self.seed } else { self.trained_with }
    }

    /// The running epoch, from 0.
    pub fn current_epoch(&self) -> usize {
        self.progress.current_epoch
    }

    /// The number of optimizer steps taken so far, over all optimizers.
    pub fn global_step(&self) -> usize {
        self.progress.global_step
    }

    /// The batch being worked on, from 0 in each epoch; `None` between batches.
    pub fn batch_idx(&self) -> Option<usize> {
        self.batch_idx
    }

    /// The batches of a training epoch; `None` where the loader does not know how many it has.
    pub fn num_training_batches(&self) -> Option<usize> {
        self.num_training_batches
    }

    /// The batches of each validation loader, as far as its length is known; empty before the loaders are made.
    pub fn num_val_batches(&self) -> &[Option<usize>] {
        &self.num_val_batches
    }

    /// The training batches begun so far, over all epochs.
    pub fn total_batches(&self) -> usize {
        self.progress.total_batches_ready
    }

    /// Whether this is a [`FastDevRun`](crate::FastDevRun).
    pub fn is_fast_dev_run(&self) -> bool {
        self.config.fast_dev_run.batches().is_some()
    }

    /// The checkpoint that the run began from.
    pub fn ckpt_path(&self) -> Option<&Path> {
        self.ckpt_path.as_deref()
    }

    /// Whether the running batch, or the one before, is the last of its training epoch.
    pub fn is_last_batch(&self) -> bool {
        self.progress.is_last_batch
    }

    /// Whether the running epoch has begun. In [`on_train_start`](crate::Callback::on_train_start) it tells that the run is resumed
    /// within an epoch. The epoch's `on_train_epoch_start` was called by the run that wrote the checkpoint, and is not called
    /// again: a callback sets up here what it sets up there.
    pub fn is_mid_epoch(&self) -> bool {
        self.progress.is_mid_epoch()
    }

    /// Whether the run has yet to take over something of the checkpoint that it began from. What would be saved now lacks it, and
    /// may take the checkpoint's own place.
    pub(crate) fn is_restoring(&self) -> bool {
        self.ckpt_path.is_some() && self.stage == Stage::Fit && !self.is_restored
    }

    /// The verb that is running.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What the verb is doing at the moment.
    pub fn running_stage(&self) -> RunningStage {
        self.running_stage
    }

    /// Whether this is the sanity check before training.
    pub fn sanity_checking(&self) -> bool {
        self.running_stage == RunningStage::SanityChecking
    }

    /// The device that the module and the batches are on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The trainer's configuration.
    pub fn config(&self) -> &TrainerConfig {
        &self.config
    }

    /// Sets after how many batches the optimizer steps, from the next one on: the place for it is the beginning of an epoch.
    /// Lightning's `trainer.accumulate_grad_batches = …`.
    ///
    /// # Errors
    /// [`Error::Configuration`] if it is 0.
    pub fn set_accumulate_grad_batches(&mut self, batches: usize) -> Result<(), Error> {
        if batches == 0 {
            return Err(Error::configuration(
                "`accumulate_grad_batches` is set to 0: it must be at least 1".to_owned(),
            ));
        }
        self.config.accumulate_grad_batches = batches;
        self.sets_accumulation = true;
        Ok(())
    }

    /// The optimizers, in the order in which `configure_optimizers` returned them.
    pub fn optimizers(&self) -> &[Optimizer] {
        &self.optimizers
    }

    /// The optimizers, to change their learning rates.
    pub fn optimizers_mut(&mut self) -> &mut [Optimizer] {
        &mut self.optimizers
    }

    /// One optimizer, to step it or to set its learning rate: the one that a hook's parameter `optimizer` names, or the one
    /// at a place, `ctx.optimizer(0)`.
    ///
    /// # Panics
    /// If there are not so many optimizers.
    pub fn optimizer(&mut self, optimizer: impl Into<OptimizerIndex>) -> &mut Optimizer {
        let OptimizerIndex(place) = optimizer.into();
        &mut self.optimizers[place]
    }

    /// Clips the gradients of an optimizer's parameters, without waiting for the device. A value of 0 clips nothing, as in
    /// Lightning. Gradients of a scaled loss are unscaled before.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn clip_gradients(
        &mut self,
        optimizer: impl Into<OptimizerIndex>,
        gradient_clip_val: f64,
        gradient_clip_algorithm: GradientClipAlgorithm,
    ) -> anyhow::Result<()> {
        if gradient_clip_val <= 0.0 {
            return Ok(());
        }
        let optimizer = optimizer.into();
        self.unscale_gradients(optimizer)?;
        let optimizer = self.optimizer(optimizer);
        match gradient_clip_algorithm {
            GradientClipAlgorithm::Norm => {
                let _norm = optimizer.clip_grad_norm(gradient_clip_val)?;
            }
            GradientClipAlgorithm::Value => optimizer.clip_grad_value(gradient_clip_val)?,
        }
        Ok(())
    }

    /// What was logged, under the names that callbacks look for: at the end of an epoch its value, within one that of the last
    /// step. Reading it waits for the device.
    pub fn callback_metrics(&self) -> BTreeMap<String, f64> {
        let mut metrics = self.callback_metrics.clone();
        metrics.extend(self.training_log.callback_metrics(true));
        metrics.extend(self.evaluation_log.callback_metrics(false));
        metrics
    }

    /// What was logged with `.prog_bar()`. Reading it waits for the device.
    pub fn progress_bar_metrics(&self) -> Vec<(String, f64)> {
        let mut metrics = self.training_log.progress_bar();
        metrics.extend(self.evaluation_log.progress_bar());
        metrics
    }

    /// The folder of this run, `lightning_logs/version_…`, made when it is first asked for.
    ///
    /// # Errors
    /// If the folder can't be made.
    pub fn log_dir(&mut self) -> Result<&Path, Error> {
        self.log_dir.make()
    }

    /// The folder of this run, if it was made.
    pub fn made_log_dir(&self) -> Option<&Path> {
        self.log_dir.made()
    }

    /// Whether the optimizer steps after the running batch: at the end of an accumulation window, and of the epoch.
    pub(crate) fn steps_after_this_batch(&self) -> bool {
        let progress = &self.progress;
        let is_due =
            progress.is_last_batch || progress.batches_ready.is_multiple_of(self.config.accumulate_grad_batches);
        is_due && !self.skip_backward
    }

    /// Fails where a signal has asked the run to end; `batch_idx` is the batch that was worked on last.
    #[inline]
    pub(crate) fn check_signals(&self, batch_idx: Option<usize>) -> Result<(), Error> {
        match self.signals.caught() {
            None => Ok(()),
            Some(signal) => Err(self.interruption().by(signal, batch_idx, None)),
        }
    }

    /// What an interruption of the running loop would say of its place.
    pub(crate) fn interruption(&self) -> Interruption {
        Interruption {
            stage: self.stage,
            running_stage: self.running_stage,
            epoch: self.in_epoch.then_some(self.progress.current_epoch),
        }
    }

    /// Whether `min_epochs` and `min_steps` let a hook end training.
    pub(crate) fn can_stop_early(&self) -> bool {
        let steps = self.config.min_steps.unwrap_or(0);
        self.progress.current_epoch >= self.config.at_least_epochs() && self.progress.global_step >= steps
    }
}
