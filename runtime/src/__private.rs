//! Every name that the declarations of the hooks use, for generated code to reach.

pub use crate::checkpoint::Checkpoint;
pub use crate::config::GradientClipAlgorithm;
pub use crate::context::Context;
pub use crate::context::at::{Epoch, Outside, Step};
pub use crate::data::{DataLoader, DataLoaders};
pub use crate::error::Error;
pub use crate::hook::Hook;
pub use crate::module::{
    Batched, Callback, CheckpointHooks, CheckpointHooksTable, ContextAt, DataHooks, DataHooksTable, Flow, HookFailure,
    HookParameter, HookReturn, LightningDataModule, LightningDataModuleTable, LightningModule, LightningModuleTable,
    LoadsSameBatch, Made, ModelHooks, ModelHooksTable, Optimizers, Optimizes, OptimizesManually, Output, Place,
    Predicts, Returned, SameBatch, StepClosure, StepOutputs, Tests, Trains, Validates,
};
pub use crate::optim::OptimizerIndex;
pub use crate::schedule::LrSchedulerIndex;
pub use crate::stage::Stage;
pub use anyhow::Result;
pub use serde_json::Value;
pub use std::boxed::Box;
pub use std::option::Option;
pub use std::string::String;
pub use std::vec::Vec;
pub use tch::nn::VarStore;
pub use tch::{Device, TchError, Tensor};

/// For tests: panics abort from now on, as in a program that is built with `panic = "abort"`.
pub fn abort_on_panics() {
    crate::panic::abort_from_now_on();
}

/// For tests without a GPU: losses are looked at as if they were on one.
pub fn watch_losses_as_on_a_gpu(ctx: &mut crate::RunContext) {
    ctx.watch_losses_as_on_a_gpu();
}
