//! PyTorch Lightning's module, hooks and trainer, in Rust over libtorch.
//!
//! A model is an ordinary struct. `#[lightning_module]` on its `impl` block finds the hooks among its methods, checks their names
//! and signatures at compile time, and implements the traits with which a [`Trainer`] can train, validate, test and predict.
//! `Model::main::<Data>()` is a complete program with these four verbs.

// for the code that derives generate within this crate
extern crate self as tch_lightning;

pub mod aot_inductor;
mod atomic_file;
mod attributes;
mod bar_text;
pub mod callbacks;
pub mod checkpoint;
mod choice;
pub mod cli;
#[cfg(all(debug_assertions, not(test)))]
mod compiled_once;
mod computation_trace;
mod config;
pub mod context;
mod counted;
#[cfg(feature = "dashboard")]
mod dashboard;
pub mod data;
pub mod device;
mod json_float;
mod json_path;
#[doc = include_str!("differences.md")]
///
/// [`errors`]: crate::errors
pub mod differences {}
mod error;
mod error_chain;
pub mod errors;
mod every;
mod file_error;
mod git_revision;
mod hook;
pub mod json;
mod log;
pub mod loggers;
mod loops;
pub mod lora;
pub mod messages;
mod metric_groups;
pub mod metrics;
mod mismatch;
mod misspelling;
pub mod module;
mod named_tensors;
mod native;
mod number;
mod observer;
pub mod optim;
mod panic;
mod paths;
pub mod precision;
pub mod profiler;
mod progress;
#[doc(hidden)]
pub mod python_names;
mod regular_file;
pub mod report;
pub mod schedule;
mod seed_everything;
mod shown;
mod signal;
mod since_1970;
mod span;
mod stage;
pub mod strategy;
mod table;
mod terminal;
pub mod torchscript;
pub mod trainer;
mod training_mode;
mod users_line;
mod yaml;

#[doc(hidden)]
pub mod __testing;
mod private;
mod run_location;

tch_lightning_macros::declare_hooks!(Private);

pub use attributes::{lightning_callback, lightning_datamodule, lightning_module};
pub use choice::Choice;
pub use context::{Context, RunContext};
pub use data::Batch;
pub use error::Error;
pub use every::Every;
pub use hook::Hook;
pub use module::{Callback, LightningDataModule, LightningModule, Loaders};
pub use seed_everything::seed_everything;
/// The version of `serde_json` whose values loggers, tables and checkpoints contain, so that `Cargo.toml` does not need to name it.
pub use serde_json;
pub use stage::{RunningStage, Stage};
/// The version of `tch` whose tensors, devices and layers this crate takes, so that `Cargo.toml` does not need to name it.
#[doc(no_inline)]
pub use tch;
// their documentation would hide that of the traits of the same names
#[doc(hidden)]
pub use tch_lightning_macros::{Callback, LightningDataModule, LightningModule, lightning_data_module};
pub use trainer::{Trainer, TrainerConfig};
pub use training_mode::is_training;

/// The names that most programs need: `use tch_lightning::prelude::*;`.
pub mod prelude {
    pub use crate::callbacks::{EarlyStopping, LearningRateMonitor, ModelCheckpoint};
    pub use crate::checkpoint::Checkpoint;
    pub use crate::context::Reduction;
    pub use crate::context::phase::Logs;
    pub use crate::data::{Batch, Collate, DataLoader, DataLoaders, Dataset, TensorDataset};
    pub use crate::metrics::Metric as _;
    #[doc(hidden)]
    pub use crate::metrics::names_of_torchmetrics::*;
    pub use crate::module::{
        Flow, Freeze as _, IntoOptimizer as _, LoadFromCheckpoint as _, Optimizers, ScheduledOptimizer, StepClosure,
        TrainingContext, Weighted,
    };
    #[doc(hidden)]
    pub use crate::module::{FunctionsOfAttribute as _, FunctionsOfProgram as _, MethodsOfModule as _};
    pub use crate::optim::{
        Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Lbfgs, Lion, Muon, NAdam, ParameterGroups, RAdam, RmsProp,
        Sgd,
    };
    pub use crate::optim::{Optimizer, OptimizerIndex};
    pub use crate::precision::Precision;
    #[doc(hidden)]
    pub use crate::python_names::methods::*;
    pub use crate::schedule::{
        ChainedScheduler, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, ExponentialLr,
        Interval, LambdaLr, LinearLr, LrScheduler, LrSchedulerConfig, LrSchedulerIndex, MultiStepLr, MultiplicativeLr,
        OneCycleLr, PolynomialLr, ReduceLrOnPlateau, SequentialLr, StepLr, SwaLr,
    };
    pub use crate::trainer::GradientClipAlgorithm;
    pub use crate::{
        Callback, Choice, Context, LightningModule, Loaders, RunningStage, Stage, Trainer, TrainerConfig, is_training,
        lightning_callback, lightning_datamodule, lightning_module, seed_everything,
    };
    #[doc(no_inline)]
    pub use anyhow::Context as _;
    pub use anyhow::{Result, anyhow, bail};
    pub use std::process::ExitCode;
    pub use tch::nn::{Module as _, ModuleT as _};
    pub use tch::{self, Device, Kind, Tensor, nn};
    #[doc(hidden)]
    pub use tch_lightning_macros::{LightningDataModule, lightning_data_module};
}
