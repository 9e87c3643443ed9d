//! Modules, data modules and callbacks: their traits, which the attribute macros implement, and the types of what their hooks
//! take and return.

// The traits follow from the declarations of the hooks, in the macro crate.

mod anomaly;
pub(crate) mod call_hook;
mod callbacks;
mod capabilities;
mod closure;
mod conversions;
mod data_source;
mod freeze;
mod from_checkpoint;
mod hyperparameter_fields;
mod hyperparameter_type;
mod hyperparameters;
mod in_result;
mod into_callbacks;
mod manual;
mod no_data_module;
mod optimizers;
mod outputs;
mod parameters;
mod prediction_tensors;
mod program_of_data;
mod renamed_results;
pub(crate) mod repeated_paths;
mod run;
mod scheduler_in_callbacks;
mod source_location;
mod untrained;
mod weighted;
mod without_attribute;

pub(crate) use anomaly::check_parameters;
pub use callbacks::{Callback, Callbacks};
pub use capabilities::{Optimizes, Predicts, Tests, Trains, Validates};
pub use closure::StepClosure;
#[doc(hidden)]
pub use conversions::{
    BoxedError, ContextAt, ContextOfManualStep, HookFailure, HookOutputs, HookParameter, HookReturn, LoadsSameBatch,
    Made, ReturnedFlow, ReturnedOptimizers, ReturnedState, SameBatch, TypedError,
};
#[doc(hidden)]
pub use data_source::{DataSource, Loaders, Loads};
pub use freeze::Freeze;
pub use from_checkpoint::LoadFromCheckpoint;
pub(crate) use hyperparameter_fields::{Fields, FlagValues};
pub(crate) use hyperparameter_type::{AnyHyperparameters, HyperparameterType, of_type};
pub use hyperparameters::{FromHparams, FromHparamsAndData, HasHparams, Hyperparameters, NoHparams};
#[doc(hidden)]
pub use in_result::{AnyResult, IsModule, MethodsOfModule};
pub use into_callbacks::IntoCallbacks;
#[doc(hidden)]
pub use manual::{AccumulatesAnywhere, OptimizesAnywhere};
pub use manual::{OptimizesManually, TrainingContext};
pub use no_data_module::NoDataModule;
pub use optimizers::{IntoOptimizer, Optimizers, ScheduledOptimizer};
pub use outputs::{
    Batched, Flow, HasPrediction, HasTestOutput, HasTrainingOutput, HasValidationOutput, StepOutputs, TrainingOutput,
};
pub(crate) use parameters::{Copies, NamedParameter, buffers, copy, trainable, variables};
#[doc(hidden)]
pub use prediction_tensors::{NoTensors, PredictionTensors};
#[doc(hidden)]
pub use program_of_data::{FunctionsOfProgram, IsProgramOf};
#[doc(hidden)]
pub use renamed_results::{Output, Returned};
pub(crate) use run::Run;
#[doc(hidden)]
pub use scheduler_in_callbacks::{AnyScheduler, IsCallback};
pub use source_location::SourceLocation;
pub use weighted::Weighted;
pub use without_attribute::{FunctionsOfAttribute, HasAttribute};

use crate::checkpoint::Checkpoint;
use crate::config::GradientClipAlgorithm;
use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::data::{Batch, DataLoader, DataLoaders};
use crate::error::Error;
use crate::hook::{Hook, MissingHook};
use crate::optim::{OptimizerIndex, Progress};
use crate::schedule::LrSchedulerIndex;
use crate::stage::Stage;
use anyhow::Result;
use serde_json::Value;
use tch::nn::VarStore;
use tch::{Device, Tensor};

tch_lightning_macros::declare_hooks!(ModelHooks);
tch_lightning_macros::declare_hooks!(DataHooks);
tch_lightning_macros::declare_hooks!(CheckpointHooks);
tch_lightning_macros::declare_hooks!(LightningModule);
tch_lightning_macros::declare_hooks!(LightningDataModule);

/// Returns the location of each hook that a module overrides; none of hooks whose traits are implemented by hand.
pub fn source_locations<M: LightningModule>() -> Vec<SourceLocation> {
    let traits = [
        <M as LightningModule>::LOCATIONS,
        <M as ModelHooks>::LOCATIONS,
        <M as DataHooks>::LOCATIONS,
        <M as CheckpointHooks>::LOCATIONS,
    ];
    traits.concat()
}

/// Returns the hooks that a module overrides, as the generated `Model::hooks()` does.
pub fn overridden_hooks<M: LightningModule>() -> Vec<Hook> {
    let mut hooks = <M as LightningModule>::TABLE.overridden();
    hooks.extend(<M as ModelHooks>::TABLE.overridden());
    hooks.extend(<M as DataHooks>::TABLE.overridden());
    hooks.extend(<M as CheckpointHooks>::TABLE.overridden());
    hooks
}
