//! The state of a run that hooks can access: progress, optimizers, log, loggers, checkpoints and device.

// A `RunContext` has a part for each of these, but never the loops. Each part has its own file, with its fields and the methods
// of the context that read and write them.

mod checkpoint_folders;
mod clock;
mod control;
mod error;
mod foreign_tensors;
mod forwarded;
mod interruption;
mod local_passes;
mod log_dir;
mod log_entry;
mod loggers;
mod logging;
mod lr_schedulers;
mod non_finite;
mod observer;
mod optimization;
pub mod phase;
mod precision;
mod print;
mod profiling;
mod record_queue;
mod redone;
mod run_state;
mod saving;
mod step_observation;
mod stepping_batches;
mod strategy;
mod terms;
mod toggle;

pub(crate) use checkpoint_folders::{CHECKPOINTS, checkpoint_folders};
pub use control::EndReason;
pub(crate) use error::ContextError;
pub(crate) use foreign_tensors::ForeignTensors;
pub(crate) use interruption::Interruption;
pub(crate) use log_dir::{CONFIG, ConfigurationFile, LOGS, versions};
pub use log_entry::LogEntry;
pub use lr_schedulers::RunningLrScheduler;
pub(crate) use optimization::ChosenOptimizer;
pub use phase::Context;
pub(crate) use saving::PendingSave;

pub use crate::log::{LogName, LogValue, Loggable, Reduction};

pub(crate) use stepping_batches::PlannedAccumulation;

use crate::config::TrainerConfig;
use crate::data::Seed;
use crate::observer::Observer;
use crate::profiler::Recorder;
use crate::stage::Stage;
use crate::strategy::{Rank, SingleProcess, Strategy};
use clock::Clock;
use control::Control;
use local_passes::LocalPasses;
use logging::Logging;
use optimization::Optimization;
use saving::Saving;
use std::time::SystemTime;
use step_observation::Observed;
use stepping_batches::SteppingBatches;
use tch::Device;

/// The state of a run. Hooks take it as [`Context`], which adds the methods for logging in the phase of the hook. A function
/// that several hooks call takes `&mut RunContext`.
pub struct RunContext {
    config: TrainerConfig,
    device: Device,
    /// The seed of loaders that have none of their own.
    seed: Seed,
    /// The seed of the previous `fit`, in a run of another verb.
    trained_with: Seed,
    strategy: Box<dyn Strategy>,
    /// That of the strategy, which is asked for in each step.
    rank: Rank,
    /// Whether one of several processes has failed.
    is_separated: bool,
    local_passes: LocalPasses,
    clock: Clock,
    stepping_batches: SteppingBatches,
    optimization: Optimization,
    logging: Logging,
    saving: Saving,
    control: Control,
    started: SystemTime,
    /// Whether the run writes `run.json`, which is that of the `fit` for a run in the folder of one.
    writes_run_file: bool,
    /// What measures the run, if the configuration has a profiler.
    recorder: Option<Box<Recorder>>,
    observed: Observed,
    /// What shows the run, as the dashboard does.
    observer: Option<Box<dyn Observer>>,
    /// The requests of the observer that several processes have agreed on and not followed yet, as bits.
    agreed_requests: u8,
}

impl RunContext {
    /// Returns the context of a trainer that has not run yet.
    pub(crate) fn new(config: TrainerConfig) -> Self {
        Self {
            device: Device::Cpu,
            seed: Seed::current(),
            trained_with: Seed::current(),
            strategy: Box::new(SingleProcess),
            rank: Rank::ALONE,
            is_separated: false,
            local_passes: LocalPasses::default(),
            clock: Clock::new(Stage::Fit),
            stepping_batches: SteppingBatches::default(),
            optimization: Optimization::default(),
            logging: Logging::new(&config.default_root_dir),
            saving: Saving::default(),
            control: Control::default(),
            started: SystemTime::now(),
            writes_run_file: false,
            recorder: None,
            observed: Observed::default(),
            observer: None,
            agreed_requests: 0,
            config,
        }
    }

    /// Returns the context of a new run. It takes the user's loggers and the hyperparameters from the previous run. A run other than
    /// `fit` also takes the state that resumes a `fit`, so that the trained module can still be saved, and the log folder.
    pub(crate) fn of_run(
        mut config: TrainerConfig,
        stage: Stage,
        (strategy, device): (Box<dyn Strategy>, Device),
        before: Self,
    ) -> Self {
        let trained_with = before.training_seed();
        if stage == Stage::Fit {
            return Self {
                device,
                rank: strategy.rank(),
                strategy,
                trained_with,
                optimization: Optimization::of_fit(before.optimization),
                logging: Logging::of_fit(before.logging, &config.default_root_dir),
                ..Self::new(config)
            };
        }
        if let Some(batches) = before.accumulate_grad_batches_of_hook() {
            config.accumulate_grad_batches = batches;
        }
        let stage_before = before.stage();
        Self {
            device,
            rank: strategy.rank(),
            strategy,
            trained_with,
            clock: Clock::after(stage, before.clock),
            optimization: Optimization::after(before.optimization),
            logging: Logging::of_evaluation(before.logging, stage_before, &config.default_root_dir),
            saving: Saving::after(before.saving),
            control: Control::after(before.control),
            ..Self::new(config)
        }
    }

    /// The device of the module and the batches.
    pub fn device(&self) -> Device {
        self.device
    }

    /// When the run began.
    pub(crate) fn started(&self) -> SystemTime {
        self.started
    }

    pub(crate) fn writes_run_file(&self) -> bool {
        self.writes_run_file
    }

    pub(crate) fn set_writes_run_file(&mut self, writes: bool) {
        self.writes_run_file = writes;
    }

    /// The trainer's configuration.
    pub fn config(&self) -> &TrainerConfig {
        &self.config
    }

    /// Whether this is a [`FastDevRun`](crate::trainer::FastDevRun).
    pub fn is_fast_dev_run(&self) -> bool {
        self.config.fast_dev_run.batches().is_some()
    }

    /// Sets the epoch after which the run ends, in place of the trainer's `max_epochs`.
    pub(crate) fn set_max_epochs(&mut self, max_epochs: Option<i64>) {
        self.config.max_epochs = max_epochs;
    }

    /// The seed of loaders that have none of their own.
    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    pub(crate) fn set_seed(&mut self, seed: Seed) {
        self.seed = seed;
    }

    /// The seed of the running `fit`; in a run of another verb, that of the previous `fit`.
    pub(crate) fn training_seed(&self) -> Seed {
        if self.stage() == Stage::Fit { self.seed } else { self.trained_with }
    }
}
