//! The trainer's configuration, which is also the generated program's flags.

mod batch_limit;
mod choices;
mod deterministic;
mod error;
mod fast_dev_run;
mod float32_matmul_precision;
pub(crate) mod keys;
pub(crate) mod lightning_keys;
mod logger_choice;
mod logger_config;
mod mistakes;
mod resume;
mod setters;
mod val_check_interval;
mod yaml;

pub use batch_limit::BatchLimit;
pub(crate) use batch_limit::LimitError;
pub use deterministic::Deterministic;
pub use error::ConfigurationError;
pub use fast_dev_run::FastDevRun;
pub use float32_matmul_precision::Float32MatmulPrecision;
pub use logger_choice::LoggerChoice;
pub use logger_config::LoggerConfig;
pub use resume::Resume;
pub use val_check_interval::ValCheckInterval;

pub use crate::every::Every;
pub(crate) use crate::every::Stopwatch;
pub use crate::span::Span;

use crate::device::{Accelerator, Devices};
use crate::paths;
use crate::precision::Precision;
use crate::profiler::Profiler;
use crate::strategy::StrategyConfig;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How a [`Trainer`](crate::Trainer) runs: Lightning's arguments of
/// [`Trainer`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#trainer-flags), with its defaults.
///
/// Each field has a setter of its name, which takes a plain value. A literal sets fields as well; it must end in
/// `..TrainerConfig::default()`, as new versions may add fields.
///
/// ```
/// use tch_lightning::TrainerConfig;
///
/// let config = TrainerConfig::default().max_epochs(5).gradient_clip_val(1.0).limit_train_batches(0.25);
/// assert_eq!(config.log_every_n_steps, 50);
/// assert_eq!(TrainerConfig { max_epochs: Some(5), ..TrainerConfig::default() }.epoch_limit(), config.epoch_limit());
/// ```
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Trainer")]
pub struct TrainerConfig {
    /// Where to compute: auto takes CUDA, then MPS, then the CPU
    #[arg(long, value_enum, default_value_t)]
    pub accelerator: Accelerator,
    /// Which devices: auto, a count, or indices such as `[1]`
    #[arg(long, default_value_t)]
    pub devices: Devices,
    /// The number of machines, on each of which a launcher starts the program
    #[arg(long, value_name = "NODES", value_parser = number_of_machines, default_value_t = 1)]
    pub num_nodes: usize,
    /// How several processes are used: auto, ddp, or a table with options such as `{name: ddp, timeout: 1m}`
    #[arg(long, value_name = "STRATEGY", default_value_t)]
    pub strategy: StrategyConfig,
    /// Give each process its part of the samples of every loader
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub use_distributed_sampler: bool,
    /// The dtypes to compute in: `true` for everything, `mixed` for the steps' operators
    #[arg(long, value_enum, value_name = "PRECISION", default_value_t)]
    pub precision: Precision,
    /// Refuse operators that are not deterministic, or with `warn`, print a warning for each
    #[arg(long, value_name = "BOOL", default_value_t, num_args = 0..=1, default_missing_value = "true")]
    pub deterministic: Deterministic,
    /// Let cuDNN measure its algorithms for each shape; by default false if `deterministic` is set, else unchanged
    #[arg(long, value_name = "BOOL")]
    pub benchmark: Option<bool>,
    /// The precision of float32 matrix multiplications; by default unchanged, which is highest
    #[arg(long, value_enum, value_name = "PRECISION")]
    pub float32_matmul_precision: Option<Float32MatmulPrecision>,
    /// Stop after this many epochs; -1 sets no limit
    #[arg(long, value_name = "EPOCHS")]
    pub max_epochs: Option<i64>,
    /// Train for at least this many epochs, even if a callback requests an early stop
    #[arg(long, value_name = "EPOCHS")]
    pub min_epochs: Option<usize>,
    /// Stop after this many optimizer steps; -1 sets no limit
    #[arg(long, value_name = "STEPS")]
    pub max_steps: Option<i64>,
    /// Train for at least this many optimizer steps, even if a callback requests an early stop
    #[arg(long, value_name = "STEPS")]
    pub min_steps: Option<usize>,
    /// Stop after this time, DD:HH:MM:SS or such as 1h 30m
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<Span>,
    /// Train on a number or a fraction of the batches of each epoch
    #[arg(long, value_name = "BATCHES", default_value_t)]
    pub limit_train_batches: BatchLimit,
    /// Validate on a number or a fraction of each loader's batches; 0 skips validation
    #[arg(long, value_name = "BATCHES", default_value_t)]
    pub limit_val_batches: BatchLimit,
    /// Test on a number or a fraction of each loader's batches
    #[arg(long, value_name = "BATCHES", default_value_t)]
    pub limit_test_batches: BatchLimit,
    /// Predict a number or a fraction of each loader's batches
    #[arg(long, value_name = "BATCHES", default_value_t)]
    pub limit_predict_batches: BatchLimit,
    /// Train and validate on the same few batches, a number or a fraction, without shuffling; 0 turns it off
    #[arg(long, value_name = "BATCHES", default_value_t = BatchLimit::NONE)]
    pub overfit_batches: BatchLimit,
    /// Run this many batches through every loop, to find mistakes; true is one batch
    #[arg(long, value_name = "BATCHES", default_value_t, num_args = 0..=1, default_missing_value = "true")]
    pub fast_dev_run: FastDevRun,
    /// Validate after a fraction of an epoch, a number of batches, or an interval such as `100 steps`, `2 epochs`, `10m`
    #[arg(long, value_name = "INTERVAL", default_value_t)]
    pub val_check_interval: ValCheckInterval,
    /// Validate every n epochs; none counts the batches of `val_check_interval` across epochs
    #[arg(long, value_name = "EPOCHS", value_parser = epochs_or_none, default_value = "1")]
    pub check_val_every_n_epoch: ::std::option::Option<usize>,
    /// Validate on this many batches before training begins, to find mistakes early; 0 skips it, -1 takes all
    #[arg(long, value_name = "BATCHES", default_value_t = 2)]
    pub num_sanity_val_steps: i64,
    /// Create the loaders again every n epochs; 0 keeps them
    #[arg(long, value_name = "EPOCHS", default_value_t = 0)]
    pub reload_dataloaders_every_n_epochs: usize,
    /// Accumulate the gradients of n batches before each optimizer step
    #[arg(long, value_name = "BATCHES", default_value_t = 1)]
    pub accumulate_grad_batches: usize,
    /// Clip gradients to this value
    #[arg(long, value_name = "VALUE")]
    pub gradient_clip_val: Option<f64>,
    /// Clip the norm of all gradients together, or each value
    #[arg(long, value_enum, value_name = "ALGORITHM", default_value_t)]
    pub gradient_clip_algorithm: GradientClipAlgorithm,
    /// What to do when the loss is NaN or infinite; Lightning continues silently
    #[arg(long, value_enum, value_name = "POLICY", default_value_t)]
    pub on_non_finite_loss: NonFiniteLoss,
    /// What `fit` takes from the checkpoint of `ckpt_path`: all of it, to continue its run, or a part, for a new one
    #[arg(long, value_enum, value_name = "PART", default_value_t)]
    pub resume: Resume,
    /// Find the first gradient or parameter that is NaN or infinite; slow, as every step waits for the device
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = false)]
    pub detect_anomaly: bool,
    /// Write a row to the loggers every n steps
    #[arg(long, value_name = "STEPS", default_value_t = 50)]
    pub log_every_n_steps: usize,
    /// The folder in which lightning_logs is created; `~` is the home directory
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub default_root_dir: PathBuf,
    /// The loggers that the trainer creates: true for the default one, false for none, a name such as `csv`, or several
    #[command(flatten)]
    pub logger: LoggerChoice,
    /// Write checkpoints: by default the newest, at the end of each epoch
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub enable_checkpointing: bool,
    /// Write checkpoints in a background thread, from copies in memory
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = false)]
    pub async_checkpointing: bool,
    /// Show progress: a bar on a terminal, else a line for each epoch
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub enable_progress_bar: bool,
    /// Show a full screen with curves, epochs and messages during `fit`, with keys to stop, save and validate
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", default_value_t = false)]
    pub dashboard: bool,
    /// Show a table of the model's layers and parameters before training
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub enable_model_summary: bool,
    /// Stop on SIGINT (Ctrl-C) and SIGTERM after the current step; set false in a program that handles them itself
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set, default_value_t = true)]
    pub handle_signals: bool,
    /// Measure where time goes: simple prints a table at the end, trace writes trace.json into the run's folder
    #[arg(long, value_name = "PROFILER")]
    pub profiler: Option<Profiler>,
    /// Write a line to this file before each call of a hook, to find where a run hangs
    #[arg(long, value_name = "FILE")]
    pub trace_hooks: Option<PathBuf>,
    /// Makes literals end in `..TrainerConfig::default()`, so that fields can be added. `#[non_exhaustive]` would forbid all literals.
    #[doc(hidden)]
    #[arg(skip)]
    #[serde(skip)]
    pub __write_default_for_the_others: (),
}

/// What a `fit` does when the loss is NaN or infinite. Lightning continues silently, which trains NaN into every weight.
///
/// The loss is checked as the training step returned it, before it is divided by `accumulate_grad_batches` or scaled for
/// `16-mixed`, whose scaler handles infinite gradients by itself. On the CPU it is checked before the backward pass. On a GPU, the
/// check does not synchronize: the optimizer's step is skipped on the device, and the host reads the loss when it synchronizes
/// anyway, for a row of the log, a validation, or the end of the epoch. Adadelta, Adafactor, Adamax, Lion, Muon, NAdam, RAdam and
/// RMSprop cannot skip a step on the device: with `Stop` they take it, with `SkipStep` each of their steps synchronizes. L-BFGS synchronizes for its loss
/// anyway, and cannot skip a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NonFiniteLoss {
    /// End the run with an error and the weights from before the step
    #[default]
    Stop,
    /// Skip the step, with all batches of its accumulation window; it is still counted
    SkipStep,
    /// Train on with the loss, as Lightning does
    Ignore,
}

/// How gradients are clipped: PyTorch's
/// [`clip_grad_norm_`](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html) and
/// [`clip_grad_value_`](https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum GradientClipAlgorithm {
    /// Scale all gradients so that their total L2 norm is at most the value
    #[default]
    Norm,
    /// Clamp every element to the range from -value to value
    Value,
}

/// The number of epochs of a run without a limit, as in Lightning.
const DEFAULT_MAX_EPOCHS: usize = 1000;

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            accelerator: Accelerator::default(),
            devices: Devices::default(),
            num_nodes: 1,
            strategy: StrategyConfig::Auto,
            use_distributed_sampler: true,
            precision: Precision::default(),
            deterministic: Deterministic::Off,
            benchmark: None,
            float32_matmul_precision: None,
            max_epochs: None,
            min_epochs: None,
            max_steps: None,
            min_steps: None,
            max_time: None,
            limit_train_batches: BatchLimit::ALL,
            limit_val_batches: BatchLimit::ALL,
            limit_test_batches: BatchLimit::ALL,
            limit_predict_batches: BatchLimit::ALL,
            overfit_batches: BatchLimit::NONE,
            fast_dev_run: FastDevRun::default(),
            val_check_interval: ValCheckInterval::EPOCH_END,
            check_val_every_n_epoch: Some(1),
            num_sanity_val_steps: 2,
            reload_dataloaders_every_n_epochs: 0,
            accumulate_grad_batches: 1,
            gradient_clip_val: None,
            gradient_clip_algorithm: GradientClipAlgorithm::default(),
            on_non_finite_loss: NonFiniteLoss::default(),
            resume: Resume::default(),
            detect_anomaly: false,
            log_every_n_steps: 50,
            default_root_dir: PathBuf::from("."),
            logger: LoggerChoice::Default,
            enable_checkpointing: true,
            async_checkpointing: false,
            enable_progress_bar: true,
            dashboard: false,
            enable_model_summary: true,
            handle_signals: true,
            profiler: None,
            trace_hooks: None,
            __write_default_for_the_others: (),
        }
    }
}

impl TrainerConfig {
    /// Returns the number of epochs after which `fit` ends; `None` where only steps or time limit it.
    pub fn epoch_limit(&self) -> Option<usize> {
        match self.max_epochs {
            None if self.step_limit().is_none() && self.max_time.is_none() => Some(DEFAULT_MAX_EPOCHS),
            epochs => epochs.and_then(|epochs| usize::try_from(epochs).ok()),
        }
    }

    /// Returns the number of optimizer steps after which `fit` ends; `None` without a limit.
    pub fn step_limit(&self) -> Option<usize> {
        self.max_steps.and_then(|steps| usize::try_from(steps).ok())
    }

    /// Returns the minimum number of epochs of a `fit`: `min_epochs`, or 1 if `min_steps` is set, as in Lightning.
    pub fn at_least_epochs(&self) -> usize {
        self.min_epochs.unwrap_or(usize::from(self.min_steps.is_some()))
    }

    /// Returns the number of batches of the sanity check; `None` takes all.
    pub(crate) fn sanity_batches(&self) -> Option<usize> {
        usize::try_from(self.num_sanity_val_steps).ok()
    }

    /// Checks every value, and the values that depend on each other.
    ///
    /// # Errors
    /// A [`ConfigurationError`] that lists all of them.
    pub fn validate(&self) -> Result<(), ConfigurationError> {
        let mistakes = mistakes::of(self);
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("; ").into()) }
    }

    /// Returns the configuration with the values that `overfit_batches` and `fast_dev_run` set, and with `~` expanded.
    pub(crate) fn resolved(mut self) -> Self {
        if let Some(batches) = self.fast_dev_run.batches() {
            let limit = BatchLimit::Batches(batches);
            self.limit_train_batches = limit;
            self.limit_val_batches = limit;
            self.limit_test_batches = limit;
            self.limit_predict_batches = limit;
            self.max_epochs = Some(1);
            self.max_steps = i64::try_from(batches).ok();
            self.num_sanity_val_steps = 0;
            self.val_check_interval = ValCheckInterval::EPOCH_END;
            self.check_val_every_n_epoch = Some(1);
            self.logger = LoggerChoice::Off;
            self.enable_checkpointing = false;
        }
        if !self.overfit_batches.is_zero() {
            self.limit_train_batches = self.overfit_batches;
            self.limit_val_batches = self.overfit_batches;
        }
        self.default_root_dir = self.root();
        self
    }

    /// `default_root_dir`, with the user's home directory in place of `~`.
    pub(crate) fn root(&self) -> PathBuf {
        paths::expanded(&self.default_root_dir)
    }
}

fn number_of_machines(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "it must be a number from 1".to_owned())
}

fn epochs_or_none(text: &str) -> Result<Option<usize>, String> {
    match text {
        "none" => Ok(None),
        count => count.parse().map(Some).map_err(|_| "write a number of epochs, or none".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        trainer: TrainerConfig,
    }

    #[test]
    fn flags_have_the_defaults_of_the_struct() {
        assert_eq!(Program::parse_from(["program"]).trainer, TrainerConfig::default());
    }

    #[test]
    fn mistakes_are_all_listed() {
        let config = TrainerConfig { log_every_n_steps: 0, gradient_clip_val: Some(-1.0), ..TrainerConfig::default() };
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(
            error,
            "`gradient_clip_val` is -1: it must be a finite number of 0 or more; `log_every_n_steps` is 0: it must be at least 1"
        );
    }

    #[test]
    fn devices_that_are_none_or_repeated_are_mistakes() {
        let mistake = |devices: Devices| {
            TrainerConfig { devices, ..TrainerConfig::default() }.validate().err().map(|error| error.to_string())
        };
        for (devices, said) in [
            (Devices::Count(0), "`devices` is 0: it must be auto, a count from 1, or indices such as [0]"),
            (Devices::Indices(vec![]), "`devices` is empty: it must be auto, a count from 1, or indices such as [0]"),
            (Devices::Indices(vec![0, 0]), "`devices` is [0,0]: list each device once, or write a count, such as 2"),
        ] {
            assert_eq!(mistake(devices).as_deref(), Some(said));
        }
        for devices in [Devices::Auto, Devices::Count(2), Devices::Indices(vec![1, 0])] {
            assert_eq!(mistake(devices), None);
        }
    }

    #[test]
    fn run_without_an_end_has_lightnings() {
        assert_eq!(TrainerConfig::default().epoch_limit(), Some(1000));
        assert_eq!(TrainerConfig { max_steps: Some(3), ..TrainerConfig::default() }.epoch_limit(), None);
        assert_eq!(TrainerConfig { max_epochs: Some(-1), ..TrainerConfig::default() }.epoch_limit(), None);
    }
}
