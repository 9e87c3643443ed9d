//! What a hook sees of the run: its progress, the optimizers, the log, the loggers, the checkpoints, the device.

// A `RunContext` has a part for each of these, never the loops. Each part is in a file of its own: its fields, and the methods
// of the context that read and write them.

mod checkpoint_folders;
mod clock;
mod control;
mod error;
mod interruption;
mod log_dir;
mod log_entry;
mod loggers;
mod logging;
mod losses;
mod lr_schedulers;
mod optimization;
pub mod phase;
mod precision;
mod print;
mod record_queue;
mod redone;
mod run_state;
mod saving;
mod stepping_batches;
mod toggle;

pub(crate) use checkpoint_folders::{CHECKPOINTS, checkpoint_folders};
pub use control::EndReason;
pub(crate) use error::ContextError;
pub(crate) use interruption::{Interruption, LoopLocation};
pub(crate) use log_dir::{LOGS, versions};
pub use log_entry::LogEntry;
pub use lr_schedulers::RunningLrScheduler;
pub use phase::Context;
pub(crate) use saving::PendingSave;

pub use crate::log::{LogValue, Reduction};

pub(crate) use stepping_batches::PlannedAccumulation;

use crate::config::TrainerConfig;
use crate::data::Seed;
use crate::stage::Stage;
use clock::Clock;
use control::Control;
use logging::Logging;
use optimization::Optimization;
use saving::Saving;
use stepping_batches::SteppingBatches;
use tch::Device;

/// The state of a run. Every hook may ask for it as [`Context`], which is this with the log of its phase; what is written
/// for several hooks takes `&mut RunContext`.
pub struct RunContext {
    config: TrainerConfig,
    device: Device,
    /// What loaders without a seed of their own follow.
    seed: Seed,
    /// The seed of the `fit` before, in a run of another verb.
    trained_with: Seed,
    clock: Clock,
    stepping_batches: SteppingBatches,
    optimization: Optimization,
    logging: Logging,
    saving: Saving,
    control: Control,
}

impl RunContext {
    /// The context of a trainer that has not run yet.
    pub(crate) fn new(config: TrainerConfig) -> Self {
        Self {
            device: Device::Cpu,
            seed: Seed::current(),
            trained_with: Seed::current(),
            clock: Clock::new(Stage::Fit),
            stepping_batches: SteppingBatches::default(),
            optimization: Optimization::default(),
            logging: Logging::new(&config.default_root_dir),
            saving: Saving::default(),
            control: Control::default(),
            config,
        }
    }

    /// The context of a run that begins. Of the run before, it has the loggers that the user gave and the hyperparameters; a run
    /// other than `fit` also has what a `fit` is resumed with, so that what was trained can still be saved, and logs to where it
    /// has logged.
    pub(crate) fn of_run(mut config: TrainerConfig, stage: Stage, device: Device, before: Self) -> Self {
        let (seed, trained_with) = (Seed::current(), before.training_seed());
        if stage == Stage::Fit {
            return Self {
                device,
                seed,
                trained_with,
                clock: Clock::new(stage),
                stepping_batches: SteppingBatches::default(),
                optimization: Optimization::anew(before.optimization),
                logging: Logging::of_fit(before.logging, &config.default_root_dir),
                saving: Saving::default(),
                control: Control::default(),
                config,
            };
        }
        if let Some(batches) = before.accumulate_grad_batches_of_hook() {
            config.accumulate_grad_batches = batches;
        }
        let stage_before = before.stage();
        Self {
            device,
            seed,
            trained_with,
            clock: Clock::after(stage, before.clock),
            stepping_batches: SteppingBatches::default(),
            optimization: Optimization::after(before.optimization),
            logging: Logging::of_evaluation(before.logging, stage_before, &config.default_root_dir),
            saving: Saving::after(before.saving),
            control: Control::after(before.control),
            config,
        }
    }

    /// The device that the module and the batches are on.
    pub fn device(&self) -> Device {
        self.device
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

    /// What loaders without a seed of their own follow.
    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    pub(crate) fn set_seed(&mut self, seed: Seed) {
        self.seed = seed;
    }

    /// The seed of the `fit` that is running, or was before a run of another verb.
    pub(crate) fn training_seed(&self) -> Seed {
        if self.stage() == Stage::Fit { self.seed } else { self.trained_with }
    }
}
