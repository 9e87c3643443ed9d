//! What a module, a data module and a callback are: the traits, written from the declarations of the hooks, and what passes
//! through them.

mod anomaly;
mod callbacks;
mod capabilities;
mod closure;
mod data_source;
pub(crate) mod edge;
mod hyperparameters;
mod manual;
mod optimizers;
mod outputs;
mod parameters;
mod place;
mod renamed_results;
mod running;
mod signatures;

pub(crate) use anomaly::check_parameters;
pub use callbacks::{Callback, Callbacks};
pub use capabilities::{Optimizes, Predicts, Tests, Trains, Validates};
pub use closure::StepClosure;
pub use data_source::{DataSource, Loaders, Loads};
pub use hyperparameters::{FromHparams, FromHparamsAndData, HasHparams, Hyperparameters, NoHparams};
pub use manual::OptimizesManually;
pub use optimizers::{IntoOptimizer, Optimizers, ScheduledOptimizer};
pub use outputs::{Batched, Flow, StepOutputs, TrainingOutput};
pub(crate) use parameters::{Copies, NamedParameter, buffers, copy, trainable};
pub use place::Place;
pub use renamed_results::{Output, Returned};
pub(crate) use running::Running;
pub use signatures::{ContextAt, HookFailure, HookParameter, HookReturn, LoadsSameBatch, Made, SameBatch};

use crate::checkpoint::Checkpoint;
use crate::config::GradientClipAlgorithm;
use crate::context::at::{Epoch, Outside};
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

/// Where each hook that a module overrides is written, as far as `#[lightning_module]` wrote its implementation.
pub fn places<M: LightningModule>() -> Vec<Place> {
    let traits = [
        <M as LightningModule>::PLACES,
        <M as ModelHooks>::PLACES,
        <M as DataHooks>::PLACES,
        <M as CheckpointHooks>::PLACES,
    ];
    traits.concat()
}

/// Every hook that a module overrides: what the generated `Model::hooks()` answers.
pub fn overridden_hooks<M: LightningModule>() -> Vec<Hook> {
    let mut hooks = <M as LightningModule>::TABLE.overridden();
    hooks.extend(<M as ModelHooks>::TABLE.overridden());
    hooks.extend(<M as DataHooks>::TABLE.overridden());
    hooks.extend(<M as CheckpointHooks>::TABLE.overridden());
    hooks
}
