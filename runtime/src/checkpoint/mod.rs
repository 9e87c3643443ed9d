//! Checkpoints: the state of a module and its run, in one safetensors file, which cannot run code.
//!
//! A run writes [`Checkpoint`]s for [`ModelCheckpoint`](crate::callbacks::ModelCheckpoint), or for a hook that passes a
//! [`SaveRequest`]. [`LAYOUT`] is the version of the file's layout, and [`weights`] exchanges weights with PyTorch.

// `encode` and `decode` convert a checkpoint to the bytes of its file and back, `file` reads and writes files, and `writer` writes
// them while training continues.

mod changed_hyperparameter;
mod checksum;
mod decode;
mod dtype;
mod encode;
mod error;
mod file;
pub(crate) mod folders;
mod frozen_parameters;
mod header;
mod layout;
pub(crate) mod lightning;
mod processes;
pub(crate) mod retention;
mod save_request;
pub mod weights;
pub(crate) mod writer;

pub use changed_hyperparameter::ChangedHyperparameter;
pub use error::CheckpointError;
pub use frozen_parameters::FrozenParameters;
pub use layout::LAYOUT;
pub(crate) use processes::{PartOfRank, is_of_rank};
pub use processes::{Processes, ResumeGuarantee};
pub use save_request::SaveRequest;

use crate::json;
use crate::mismatch::Mismatch;
use crate::named_tensors::under;
use crate::optim::Algorithm;
use crate::precision::GradScalerState;
use crate::progress::{Progress, RANDOM, RunState};
use crate::schedule::LrSchedulerState;
use lightning::LightningState;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tch::{TchError, Tensor};

pub(crate) const MODULE: &str = "module.";

/// Returns the prefix of the names of an optimizer's tensors.
pub(crate) fn of_optimizer(index: usize) -> String {
    format!("optimizer.{index}.")
}

/// The contents of a checkpoint.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// Everything except the tensors.
    pub metadata: Metadata,
    /// The tensors by name, on any device; on the CPU if they were read from a file.
    pub tensors: BTreeMap<String, Tensor>,
    /// What a checkpoint of Lightning has for the optimizers, schedulers and callbacks of the run.
    pub(crate) lightning: Option<Box<LightningState>>,
}

/// Everything in a checkpoint except its tensors.
#[derive(Debug, Serialize, Deserialize)]
pub struct Metadata {
    /// The version of the layout.
    pub layout: u32,
    /// The version of this crate that wrote the checkpoint.
    pub tch_lightning: String,
    /// The module's type.
    pub module: String,
    /// The number of completed epochs.
    pub epoch: usize,
    /// The number of optimizer steps taken.
    pub global_step: usize,
    /// The counters of the loops.
    #[serde(default)]
    pub(crate) progress: Progress,
    /// The remaining state of the run.
    #[serde(default)]
    pub(crate) run: RunState,
    /// The hyperparameters from which the program constructed the module; `None` if it was constructed otherwise.
    pub hyper_parameters: Option<serde_json::Value>,
    /// The optimizers, without their tensors.
    pub optimizers: Vec<SavedOptimizer>,
    /// The state of each learning-rate scheduler.
    #[serde(default)]
    pub lr_schedulers: Vec<LrSchedulerState>,
    /// The state of the gradient scaler; `None` if the loss is not scaled.
    #[serde(default)]
    pub grad_scaler: Option<GradScalerState>,
    /// The state of each callback that has one, by its key.
    #[serde(default)]
    pub callbacks: BTreeMap<String, serde_json::Value>,
    /// The state of the data module; null if it does not have one.
    #[serde(default)]
    pub data_module: serde_json::Value,
    /// The frozen parameters that the checkpoint does not contain; `None` if it contains all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<FrozenParameters>,
    /// The processes of the run; `None` if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<Processes>,
    /// The values added with [`Checkpoint::insert`] in `on_save_checkpoint`.
    pub extra: BTreeMap<String, serde_json::Value>,
}

/// An optimizer, without its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedOptimizer {
    /// The algorithm of each parameter group, with its current hyperparameters, including the learning rate.
    pub groups: Vec<Algorithm>,
    /// The names of each group's parameters; empty in checkpoints of versions that did not save them.
    #[serde(default)]
    pub parameters: Vec<Vec<String>>,
    /// The number of steps taken.
    pub steps: u64,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            layout: LAYOUT,
            tch_lightning: env!("CARGO_PKG_VERSION").to_owned(),
            module: String::new(),
            epoch: 0,
            global_step: 0,
            progress: Progress::default(),
            run: RunState::default(),
            hyper_parameters: None,
            optimizers: Vec::new(),
            lr_schedulers: Vec::new(),
            grad_scaler: None,
            callbacks: BTreeMap::new(),
            data_module: serde_json::Value::Null,
            frozen: None,
            processes: None,
            extra: BTreeMap::new(),
        }
    }
}

/// The maximum value of a counter, which no run reaches. Counters from a file can be added to without overflow.
const MOST: u64 = 1 << 53;

impl Metadata {
    /// Returns a clause about a counter above [`MOST`], if there is one: the loops must be able to continue from it.
    fn impossible_counter(&self) -> Option<String> {
        let of_run = self.progress.counters().map(|(name, value)| (name, value as u64));
        let of_optimizers = self.optimizers.iter().map(|optimizer| ("steps of an optimizer", optimizer.steps));
        let mut counters = of_run.into_iter().chain(of_optimizers);
        let (name, value) = counters.find(|(_, value)| *value > MOST)?;
        Some(format!("its counter of the {name} is {value}"))
    }
}

impl Checkpoint {
    /// Adds a value of the module or of a callback, for `on_load_checkpoint` to read.
    ///
    /// # Errors
    /// If the value cannot be written as JSON.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Serialize) -> serde_json::Result<()> {
        self.metadata.extra.insert(name.into(), json::to_value(&value)?);
        Ok(())
    }

    /// Returns a value that was added with [`Checkpoint::insert`]; `None` if no value has this name.
    ///
    /// # Errors
    /// If the value cannot be deserialized as `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> serde_json::Result<Option<T>> {
        self.metadata.extra.get(name).map(json::from_value).transpose()
    }

    /// Returns the tensors whose names begin with `prefix`, by the rest of their names.
    pub(crate) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
        under(&self.tensors, prefix)
    }

    /// Copies the module's parameters and buffers into `variables`. Those [frozen](Metadata::frozen) ones that the checkpoint does not
    /// contain must have the values that they had in its run.
    ///
    /// # Errors
    /// [`CheckpointError::OtherModule`], which lists every name that is missing, unexpected, of another shape or of another kind of
    /// dtype; [`CheckpointError::OtherFrozen`] if a frozen parameter has another value. In these cases nothing is copied.
    pub fn load_into(&self, variables: &[(String, Tensor)]) -> Result<(), CheckpointError> {
        let Some(frozen) = &self.metadata.frozen else { return self.load_under(MODULE, variables) };
        let copied = variables.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        let (elsewhere, saved): (Vec<_>, Vec<_>) = copied.partition(|(name, _)| frozen.has(name));
        frozen.check(elsewhere)?;
        self.load_under(MODULE, &saved)
    }

    /// Fails if frozen parameters are missing, for a file that must be complete.
    pub(crate) fn require_frozen(&self) -> Result<(), CheckpointError> {
        match &self.metadata.frozen {
            None => Ok(()),
            Some(frozen) => Err(CheckpointError::WithoutFrozen { parameters: frozen.parameters.clone() }),
        }
    }

    /// Like [`load_into`](Self::load_into), from the tensors whose names begin with `prefix`.
    pub(crate) fn load_under(&self, prefix: &str, variables: &[(String, Tensor)]) -> Result<(), CheckpointError> {
        let saved: BTreeMap<&str, &Tensor> = self.under(prefix).collect();
        let described = saved.iter().map(|(name, tensor)| Ok((*name, (tensor.size(), tensor.f_kind()?))));
        let described = described.collect::<Result<_, TchError>>()?;
        let mismatch =
            Mismatch::between(described, variables.iter().map(|(name, variable)| (name.as_str(), variable)))?;
        if !mismatch.is_empty() {
            return Err(CheckpointError::OtherModule {
                path: None,
                mismatch: mismatch.into(),
                hyper_parameters: Vec::new(),
            });
        }
        tch::no_grad(|| {
            for (name, variable) in variables {
                variable.shallow_clone().f_copy_(saved[name.as_str()])?;
            }
            Ok(())
        })
    }

    /// Whether the checkpoint contains only the module's weights, so that training cannot be resumed from it.
    pub(crate) fn has_weights_alone(&self) -> bool {
        let has_optimizers = self.lightning.as_ref().is_some_and(|state| state.has_optimizers());
        !has_optimizers
            && self.metadata.optimizers.is_empty()
            && !self.tensors.keys().any(|name| name.starts_with(RANDOM))
    }
}
