//! What a hook sees of the run: counters, the log, the optimizers, the device. Never the loops.

mod accumulator;
pub mod at;
mod log;
mod log_dir;

pub use accumulator::Reduction;
pub use at::Context;
pub use log::{LogEntry, LogValue};
pub(crate) use log_dir::{LOGS, versions};

use crate::config::{GradientClipAlgorithm, TrainerConfig};
use crate::error::Error;
use crate::hook::Hook;
use crate::loggers::Logger;
use crate::optim::{Optimizer, OptimizerIndex};
use crate::stage::{RunningStage, Stage};
use log::Log;
use log_dir::LogDir;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Device;

/// The state of a run. Every hook may ask for it as [`Context`], which is this with the log of its moment; what is written
/// for several hooks takes `&mut RunContext`.
pub struct RunContext {
    pub(crate) config: TrainerConfig,
    pub(crate) stage: Stage,
    pub(crate) running_stage: RunningStage,
    pub(crate) device: Device,
    pub(crate) current_epoch: usize,
    /// Whether a training epoch is running, so that what fails can say in which.
    pub(crate) in_epoch: bool,
    pub(crate) global_step: usize,
    /// Batches after which the optimizers stepped: the step of logged rows, as in Lightning.
    pub(crate) batches_that_stepped: usize,
    pub(crate) batch_idx: Option<usize>,
    pub(crate) batch_size: usize,
    pub(crate) dataloader_idx: Option<usize>,
    pub(crate) num_training_batches: usize,
    pub(crate) should_stop: bool,
    pub(crate) optimizers: Vec<Optimizer>,
    pub(crate) loggers: Vec<Box<dyn Logger>>,
    pub(crate) hook: Option<Hook>,
    pub(crate) training_log: Log,
    pub(crate) evaluation_log: Log,
    pub(crate) callback_metrics: BTreeMap<String, f64>,
    pub(crate) refused_log: Option<String>,
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
            current_epoch: 0,
            in_epoch: false,
            global_step: 0,
            batches_that_stepped: 0,
            batch_idx: None,
            batch_size: 1,
            dataloader_idx: None,
            num_training_batches: 0,
            should_stop: false,
            optimizers: Vec::new(),
            loggers: Vec::new(),
            hook: None,
            training_log: Log::default(),
            evaluation_log: Log::default(),
            callback_metrics: BTreeMap::new(),
            refused_log: None,
        }
    }

    /// The running epoch, from 0.
    pub fn current_epoch(&self) -> usize {
        self.current_epoch
    }

    /// The number of optimizer steps taken so far, over all optimizers.
    pub fn global_step(&self) -> usize {
        self.global_step
    }

    /// The batch being worked on, from 0 in each epoch; `None` between batches.
    pub fn batch_idx(&self) -> Option<usize> {
        self.batch_idx
    }

    /// The batches of a training epoch.
    pub fn num_training_batches(&self) -> usize {
        self.num_training_batches
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

    /// Ends training after the running batch. Lightning's `trainer.should_stop = True`.
    pub fn stop(&mut self) {
        self.should_stop = true;
    }

    /// The optimizers, in the order in which `configure_optimizers` returned them.
    pub fn optimizers(&self) -> &[Optimizer] {
        &self.optimizers
    }

    /// The optimizers, to change their learning rates.
    pub fn optimizers_mut(&mut self) -> &mut [Optimizer] {
        &mut self.optimizers
    }

    /// One optimizer, to step it or to set its learning rate: the one that a hook's parameter `optimizer` names.
    ///
    /// # Panics
    /// If the index is of another run, which had more optimizers.
    pub fn optimizer(&mut self, optimizer: OptimizerIndex) -> &mut Optimizer {
        &mut self.optimizers[optimizer.0]
    }

    /// Clips the gradients of an optimizer's parameters, without waiting for the device.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn clip_gradients(
        &mut self,
        optimizer: OptimizerIndex,
        gradient_clip_val: f64,
        gradient_clip_algorithm: GradientClipAlgorithm,
    ) -> anyhow::Result<()> {
        let optimizer = self.optimizer(optimizer);
        match gradient_clip_algorithm {
            GradientClipAlgorithm::Norm => {
                let _norm = optimizer.clip_grad_norm(gradient_clip_val)?;
            }
            GradientClipAlgorithm::Value => optimizer.clip_grad_value(gradient_clip_val)?,
        }
        Ok(())
    }

    /// What was logged, under the names that callbacks look for: after an epoch its value, within one that of the last step.
    /// Reading it waits for the device.
    pub fn callback_metrics(&self) -> BTreeMap<String, f64> {
        let mut metrics = self.callback_metrics.clone();
        for log in [&self.training_log, &self.evaluation_log] {
            metrics.extend(log.step_metrics());
        }
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

    /// Whether training ends here: `max_steps` is reached, or a hook called [`Context::stop`].
    pub(crate) fn is_stopped(&self) -> bool {
        self.should_stop || self.config.max_steps.is_some_and(|steps| self.global_step >= steps)
    }

    /// The log that the running loop writes to.
    pub(crate) fn active_log(&mut self) -> &mut Log {
        match self.running_stage {
            RunningStage::Training => &mut self.training_log,
            _ => &mut self.evaluation_log,
        }
    }

    /// Hands a row to every logger, with the epoch, as Lightning adds it.
    pub(crate) fn write_row(&mut self, mut metrics: Vec<(String, f64)>, step: usize) -> Result<(), Error> {
        if metrics.is_empty() || self.loggers.is_empty() {
            return Ok(());
        }
        metrics.push(("epoch".to_owned(), self.current_epoch as f64));
        for logger in &mut self.loggers {
            logger.log_metrics(&metrics, step)?;
        }
        Ok(())
    }
}
