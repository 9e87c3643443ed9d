//! The checkpoints of PyTorch Lightning, in both directions.
//!
//! [`Checkpoint::read`] reads one. What only the run knows — which parameter an index of an optimizer's state is, what the schedulers and
//! callbacks are — is resolved when the run has made them: [`LightningState`].

mod archive;
mod counters;
mod export;
mod parameters;
mod pickle;
mod unpickle;
mod value;

pub(crate) use export::{names_of, write};
pub(crate) use value::{Value, dict, quoted};

use super::{Checkpoint, CheckpointError, MODULE, Metadata, SavedOptimizer, file};
use crate::named_tensors::NamedTensors;
use crate::optim::Optimizer;
use crate::precision::GradScalerState;
use crate::schedule::LrSchedulerState;
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::Path;
use tch::Tensor;

/// The entries of Lightning's checkpoints that have a place of their own in ours, or none.
const KNOWN: [&str; 12] = [
    "epoch",
    "global_step",
    VERSION,
    "state_dict",
    "loops",
    "callbacks",
    "optimizer_states",
    "lr_schedulers",
    HYPER_PARAMETERS,
    "hparams_name",
    DATA_HYPER_PARAMETERS,
    GRAD_SCALER,
];

/// The key of the version that has written the file, which marks a checkpoint of Lightning.
const VERSION: &str = "pytorch-lightning_version";
const HYPER_PARAMETERS: &str = "hyper_parameters";
const DATA_HYPER_PARAMETERS: &str = "datamodule_hyper_parameters";
/// The parameter groups of an optimizer.
const PARAMETER_GROUPS: &str = "param_groups";
/// The state of the gradient scaler, by the name of the plugin that has it.
const GRAD_SCALER: &str = "MixedPrecision";

/// What a checkpoint of Lightning has for optimizers, schedulers and callbacks.
pub(crate) struct LightningState {
    optimizers: Vec<Value>,
    lr_schedulers: Vec<serde_json::Value>,
    callbacks: Vec<(String, serde_json::Value)>,
    /// The names of the module's tensors, in the order of the `state_dict`, which is that in which PyTorch's modules have them.
    names: Vec<String>,
    global_step: usize,
}

/// Reads a file of `torch.save` as a checkpoint.
///
/// # Errors
/// If it cannot be read, or is not a checkpoint of Lightning.
pub(super) fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let (opened, size) = file::open(path)?;
    decode(opened, size, path)
}

/// Reads a file of `torch.save` with this number of bytes as a checkpoint. Errors name `path`.
///
/// # Errors
/// As [`read`].
pub(super) fn decode(file: impl Read + Seek, size: u64, path: &Path) -> Result<Checkpoint, CheckpointError> {
    let file = archive::read(file, size, path)?;
    if file.get(VERSION).is_none() {
        return Err(CheckpointError::Pickle { path: path.to_owned() });
    }
    let state_dict: Vec<(&str, &Tensor)> = match file.get("state_dict") {
        Some(state_dict) => {
            state_dict.named_entries().filter_map(|(name, value)| Some((name, value.tensor()?))).collect()
        }
        None => Vec::new(),
    };
    let tensors = state_dict
        .iter()
        .filter(|(name, _)| !super::weights::is_only_in_pytorch(name))
        .map(|(name, tensor)| (format!("{MODULE}{name}"), tensor.shallow_clone()));
    let tensors: BTreeMap<String, Tensor> = tensors.collect();
    let progress = counters::progress(&file);
    let metadata = Metadata {
        epoch: progress.current_epoch(),
        global_step: progress.global_step(),
        hyper_parameters: hyper_parameters(&file),
        grad_scaler: file.get(GRAD_SCALER).and_then(grad_scaler),
        extra: extra(&file),
        progress,
        ..Metadata::default()
    };
    if let Some(counter) = metadata.impossible_counter() {
        return Err(CheckpointError::damaged(path, counter));
    }
    let state = LightningState {
        lr_schedulers: file.items_of("lr_schedulers").iter().filter_map(|state| state.to_json()).collect(),
        callbacks: callbacks(&file),
        names: state_dict.iter().map(|(name, _)| (*name).to_owned()).collect(),
        global_step: metadata.global_step,
        optimizers: optimizer_states(file),
    };
    Ok(Checkpoint { metadata, tensors, lightning: Some(Box::new(state)) })
}

fn optimizer_states(file: Value) -> Vec<Value> {
    let Value::Dict(entries) = file else { return Vec::new() };
    let states = entries.into_iter().find(|(key, _)| key.text() == Some("optimizer_states"));
    if let Some((_, Value::List(states))) = states { states } else { Vec::new() }
}

fn callbacks(file: &Value) -> Vec<(String, serde_json::Value)> {
    let states = file.get("callbacks").into_iter().flat_map(Value::named_entries);
    states.filter_map(|(key, state)| Some((key.to_owned(), state.to_json()?))).collect()
}

/// Returns the hyperparameters in the form of a generated program's.
fn hyper_parameters(file: &Value) -> Option<serde_json::Value> {
    let of = |key| file.get(key).and_then(Value::to_json).filter(serde_json::Value::is_object);
    let (model, data) = (of(HYPER_PARAMETERS), of(DATA_HYPER_PARAMETERS));
    if model.is_none() && data.is_none() {
        return None;
    }
    let parts = [("model", model), ("data", data)];
    Some(
        parts
            .into_iter()
            .filter_map(|(of, values)| Some((of.to_owned(), values?)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    )
}

/// Returns what hooks have added to the checkpoint.
fn extra(file: &Value) -> BTreeMap<String, serde_json::Value> {
    let added = file.named_entries().filter(|(key, _)| !KNOWN.contains(key));
    added.filter_map(|(key, value)| Some((key.to_owned(), value.to_json()?))).collect()
}

fn grad_scaler(state: &Value) -> Option<GradScalerState> {
    let number = |key: &str| state.get(key).and_then(Value::number);
    Some(GradScalerState {
        scale: number("scale")?,
        growth_factor: number("growth_factor")?,
        backoff_factor: number("backoff_factor")?,
        growth_interval: number("growth_interval")? as i64,
        growth_tracker: number("_growth_tracker")? as i64,
    })
}

impl LightningState {
    /// Whether there is anything to resume: a file with weights alone does not have the optimizers.
    pub(super) fn has_optimizers(&self) -> bool {
        !self.optimizers.is_empty()
    }

    /// The state of each callback, by Lightning's key of it.
    pub(crate) fn callbacks(&self) -> &[(String, serde_json::Value)] {
        &self.callbacks
    }

    /// Returns the optimizers as the run's own would be saved, and their tensors by parameter and slot.
    ///
    /// # Errors
    /// A clause about the first difference.
    pub(crate) fn optimizers(&self, own: &[Optimizer]) -> Result<Vec<(SavedOptimizer, NamedTensors)>, String> {
        if self.optimizers.len() != own.len() {
            let of_it = crate::counted::counted(self.optimizers.len(), "optimizer");
            return Err(format!("it has {of_it}, but this run has {}", own.len()));
        }
        let steps = (self.global_step / own.len().max(1)) as u64;
        let saved = self.optimizers.iter().zip(own).enumerate().map(|(index, (saved, own))| {
            parameters::optimizer(saved, own, &self.names, steps)
                .map_err(|reason| format!("its optimizer {index} {reason}"))
        });
        saved.collect()
    }

    /// Returns the states of the run's schedulers, whose own are `own`, with the initial rates of their groups.
    ///
    /// # Errors
    /// A clause about the first difference.
    pub(crate) fn lr_schedulers<'a>(
        &self,
        own: impl ExactSizeIterator<Item = (LrSchedulerState, usize)> + 'a,
    ) -> Result<Vec<LrSchedulerState>, String> {
        if self.lr_schedulers.len() != own.len() {
            let of_it = crate::counted::counted(self.lr_schedulers.len(), "learning-rate scheduler");
            return Err(format!("it has {of_it}, but this run has {}", own.len()));
        }
        let states = self.lr_schedulers.iter().zip(own).enumerate().map(|(index, (saved, (own, optimizer)))| {
            let groups =
                self.optimizers.get(optimizer).map_or(&[] as &[Value], |saved| saved.items_of(PARAMETER_GROUPS));
            let groups = groups.iter().filter_map(Value::to_json);
            own.with_pytorch_state(saved, &groups.collect::<Vec<_>>())
                .map_err(|reason| format!("its learning-rate scheduler {index} {reason}"))
        });
        states.collect()
    }
}

impl std::fmt::Debug for LightningState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LightningState").field("names", &self.names).finish_non_exhaustive()
    }
}
