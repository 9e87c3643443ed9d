//! PyTorch Lightning's module, hooks and trainer, in Rust over libtorch.
//!
//! A model is an ordinary struct. `#[lightning_module]` on its `impl` block finds the hooks among its methods, checks their
//! names and signatures when the program is compiled, and makes it something that a [`Trainer`] can train, validate, test
//! and predict with. `Model::main::<Data>()` is a whole program with these four verbs.

#[cfg(test)]
extern crate self as tch_lightning;

mod any_path;
mod atomic_file;
mod attributes;
mod callbacks;
mod checkpoint;
pub mod cli;
mod config;
mod context;
mod counted;
pub mod data;
mod device;
mod json_float;
#[doc = include_str!("differences.md")]
pub mod differences {}
mod error;
mod error_chain;
pub mod errors;
mod every;
mod file_error;
mod hook;
mod hook_location;
pub mod json;
mod location;
mod log;
mod loggers;
mod loops;
pub mod messages;
pub mod metrics;
mod mismatch;
mod module;
mod named_tensors;
mod native;
pub mod optim;
mod panic;
pub mod precision;
pub mod profiler;
mod progress;
pub mod schedule;
mod seed_everything;
mod shown;
mod signal;
mod span;
mod stage;
mod table;
mod terminal;
mod trainer;
mod users_line;
mod yaml;

#[doc(hidden)]
pub mod __testing;
mod private;

tch_lightning_macros::declare_hooks!(Private);

pub use attributes::{lightning_callback, lightning_datamodule, lightning_module};
pub use callbacks::{
    BackboneFinetuning, DeviceStatsMonitor, EarlyStopping, EpochStart, ExponentialMovingAverage,
    GradientAccumulationScheduler, LambdaCallback, LambdaReturn, LearningRateMonitor, ModelCheckpoint, ModelSummary,
    MonitorMode, NotLogged, OnExceptionCheckpoint, PredictionWriter, ProgressBar, SaveLast, StochasticWeightAveraging,
    StoppingReason, Throughput, ThroughputMonitor, ThroughputTotals, Timer, WriteInterval, WritePredictions,
};
pub use checkpoint::{Checkpoint, CheckpointError, LAYOUT, Metadata, SavedOptimizer, weights};
pub use config::{
    BatchLimit, ConfigurationError, Every, FastDevRun, GradientClipAlgorithm, NonFiniteLoss, Span, TrainerConfig,
    ValCheckInterval,
};
pub use context::{Context, EndReason, LogEntry, RunContext, RunningLrScheduler, SaveRequest, at};
pub use device::{Accelerator, CudaStatus, DeviceError, Devices, cuda_status, mps_is_available};
pub use error::{Error, HookError};
pub use file_error::FileError;
pub use hook::{Hook, MissingHook};
pub use log::{LogError, LogValue, Reduction};
pub use loggers::{
    CsvLogger, Graph, GraphLayer, GraphTensor, Image, LoggedAt, Logger, LoggerError, Record, ResumedRun, RunStart,
    RunStatus, SavedCheckpoint,
};
pub use mismatch::{Mismatch, Misshaped, Mistyped};
pub use module::{
    Batched, Callback, Callbacks, CheckpointHooks, CheckpointHooksTable, ContextAt, DataHooks, DataHooksTable,
    DataSource, Flow, FromHparams, FromHparamsAndData, HasHparams, HookFailure, HookParameter, HookReturn,
    Hyperparameters, IntoCallbacks, IntoOptimizer, LightningDataModule, LightningDataModuleTable, LightningModule,
    LightningModuleTable, Loaders, Loads, LoadsSameBatch, Made, ModelHooks, ModelHooksTable, NoHparams, Optimizers,
    Optimizes, OptimizesManually, Predicts, SameBatch, ScheduledOptimizer, SourceLocation, StepClosure, StepOutputs,
    Tests, TrainingOutput, Trains, Validates, overridden_hooks, source_locations,
};
pub use native::libtorch_version;
pub use optim::OptimizerIndex;
pub use precision::{Precision, UnknownPrecision};
pub use seed_everything::seed_everything;
pub use signal::Signal;
pub use stage::{RunningStage, Stage};
pub use trainer::{
    BatchSizeFinder, BatchSizeMode, CkptPath, LearningRateCurve, LearningRateFinder, Metrics, SweepMode, Trainer,
};

/// What a model's file needs: `use tch_lightning::prelude::*;`.
pub mod prelude {
    pub use crate::at::Logs;
    pub use crate::data::{Batch, Collate, DataLoader, DataLoaders, Dataset, TensorDataset};
    pub use crate::metrics::Metric as _;
    pub use crate::optim::{
        Adadelta, Adagrad, Adam, AdamW, Adamax, Lbfgs, NAdam, ParameterGroups, RAdam, RmsProp, Sgd,
    };
    pub use crate::schedule::{
        ChainedScheduler, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, ExponentialLr,
        LambdaLr, LinearLr, LrScheduler, MultiStepLr, MultiplicativeLr, OneCycleLr, PolynomialLr, ReduceLrOnPlateau,
        SequentialLr, StepLr, SwaLr,
    };
    pub use crate::{
        Callback, Checkpoint, Context, Flow, IntoOptimizer as _, OptimizerIndex, Optimizers, Precision, Reduction,
        ScheduledOptimizer, Stage, StepClosure, Trainer, TrainerConfig, lightning_callback, lightning_datamodule,
        lightning_module,
    };
    pub use anyhow::{Result, anyhow, bail};
    pub use std::process::ExitCode;
    pub use tch::nn::{Module as _, ModuleT as _};
    pub use tch::{self, Device, Kind, Tensor, nn};
}
