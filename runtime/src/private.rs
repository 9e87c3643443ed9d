//! The names that generated code uses.
//!
//! Generated code reaches them as `tch_lightning::__private_0_1_0`, a name with this version. Two things keep the macros and the
//! runtime in step: the dependency `tch-lightning-macros = "=0.1.0"` lets cargo choose this version of the macros only, and a
//! runtime that was compiled with other ones fails to compile. The name stops the remaining case: code that the macros of one
//! version generated for a crate whose `tch_lightning` is of another.

pub use crate::checkpoint::Checkpoint;
pub use crate::cli::{Program, ProgramData};
pub use crate::config::{GradientClipAlgorithm, TrainerConfig};
pub use crate::context::Context;
pub use crate::context::phase::{Epoch, Outside, Step};
pub use crate::data::{Batch, DataLoader, DataLoaders};
pub use crate::error::Error;
pub use crate::hook::Hook;
pub use crate::module::{
    Batched, Callback, CheckpointHooks, CheckpointHooksTable, ContextAt, ContextOfManualStep, DataHooks,
    DataHooksTable, Flow, FromHparams, FromHparamsAndData, HasHparams, HookFailure, HookParameter, HookReturn,
    Hyperparameters, IntoCallbacks, LightningDataModule, LightningDataModuleTable, LightningModule,
    LightningModuleTable, Loads, LoadsSameBatch, Made, ModelHooks, ModelHooksTable, NoHparams, Optimizers, Optimizes,
    OptimizesManually, Output, Predicts, Returned, SameBatch, SourceLocation, StepClosure, StepOutputs, Tests,
    TrainingContext, Trains, Validates, overridden_hooks,
};
pub use crate::optim::OptimizerIndex;
pub use crate::schedule::LrSchedulerIndex;
pub use crate::stage::Stage;
pub use crate::trainer::Trainer;
pub use anyhow::Result;
pub use serde_json::Value;
pub use std::boxed::Box;
pub use std::option::Option;
pub use std::string::String;
pub use std::vec::Vec;
pub use tch::nn::VarStore;
pub use tch::{Device, TchError, Tensor};
