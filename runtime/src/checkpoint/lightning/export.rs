//! A checkpoint as Lightning writes it.

use super::value::{Value, dict};
use super::{
    DATA_HYPER_PARAMETERS, GRAD_SCALER, HYPER_PARAMETERS, KNOWN, PARAMETER_GROUPS, VERSION, archive, counters,
};
use crate::checkpoint::{Checkpoint, CheckpointError, MODULE, SavedOptimizer, of_optimizer};
use crate::json;
use crate::optim::{Algorithm, entry_name};
use crate::precision::GradScalerState;
use crate::schedule::LrSchedulerState;
use std::collections::BTreeMap;
use std::path::Path;
use tch::Tensor;

/// The version whose layout is written.
const LIGHTNING: &str = "2.6.0";

/// The parts of a layer that PyTorch's modules list last, whatever the order in which tch makes them.
const LAST: [&str; 1] = ["bias"];

/// Writes a checkpoint for Lightning. `callbacks` are its callbacks' states; `names` is the order of the Python module's tensors, if it is
/// known.
///
/// # Errors
/// If the file cannot be written, or an optimizer is L-BFGS.
pub(crate) fn write(
    checkpoint: &Checkpoint,
    callbacks: Value,
    names: Option<&[String]>,
    path: &Path,
) -> Result<(), CheckpointError> {
    let mut algorithms = checkpoint.metadata.optimizers.iter().flat_map(|optimizer| &optimizer.groups);
    if algorithms.any(|algorithm| matches!(algorithm, Algorithm::Lbfgs(_))) {
        return Err(CheckpointError::NotForLightning { path: path.to_owned() });
    }
    archive::write(&value(checkpoint, callbacks, names), path)
}

/// Returns the names of the tensors in the `state_dict` of a file of Lightning, in their order.
///
/// # Errors
/// If the file is not a checkpoint of Lightning.
pub(crate) fn names_of(path: &Path) -> Result<Vec<String>, CheckpointError> {
    let checkpoint = super::read(path)?;
    Ok(checkpoint.lightning.map(|state| state.names).unwrap_or_default())
}

fn value(checkpoint: &Checkpoint, callbacks: Value, names: Option<&[String]>) -> Value {
    let metadata = &checkpoint.metadata;
    let count = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let optimizers = metadata.optimizers.iter().enumerate();
    let optimizers = optimizers.map(|(index, saved)| optimizer(checkpoint, index, saved, names));
    let mut entries = vec![
        ("epoch", count(metadata.epoch)),
        ("global_step", count(metadata.global_step)),
        (VERSION, Value::Text(LIGHTNING.to_owned())),
        ("state_dict", state_dict(checkpoint, names)),
        ("loops", counters::loops(&metadata.progress)),
        ("callbacks", callbacks),
        ("optimizer_states", Value::List(optimizers.collect())),
        ("lr_schedulers", Value::List(metadata.lr_schedulers.iter().map(lr_scheduler).collect())),
    ];
    if let Some(state) = &metadata.grad_scaler {
        entries.push((GRAD_SCALER, grad_scaler(state)));
    }
    if let Some(hyper_parameters) = &metadata.hyper_parameters {
        let parts = [("model", HYPER_PARAMETERS), ("data", DATA_HYPER_PARAMETERS)];
        let is_of_program = parts.iter().any(|(part, _)| hyper_parameters.get(part).is_some());
        if is_of_program {
            let of = parts.iter().filter_map(|(part, key)| Some((*key, Value::of_json(hyper_parameters.get(part)?))));
            entries.extend(of);
        } else {
            entries.push((HYPER_PARAMETERS, Value::of_json(hyper_parameters)));
        }
        entries.push(("hparams_name", Value::Text("kwargs".to_owned())));
    }
    let added = metadata.extra.iter().filter(|(key, _)| !KNOWN.contains(&key.as_str()));
    entries.extend(added.map(|(key, value)| (key.as_str(), Value::of_json(value))));
    dict(entries)
}

fn state_dict(checkpoint: &Checkpoint, names: Option<&[String]>) -> Value {
    let of_module: BTreeMap<&str, &Tensor> = checkpoint.under(MODULE).collect();
    let mut order: Vec<&str> = names.unwrap_or_default().iter().map(String::as_str).collect();
    if order.is_empty() {
        let parameters =
            checkpoint.metadata.optimizers.iter().flat_map(|optimizer| optimizer.parameters.iter().flatten());
        order = as_in_pytorch(parameters.map(String::as_str).collect());
    }
    let rest: Vec<&str> = of_module.keys().copied().filter(|name| !order.contains(name)).collect();
    let tensors = order.into_iter().chain(rest);
    dict(tensors.filter_map(|name| Some((name, Value::Tensor(of_module.get(name)?.shallow_clone())))))
}

/// Returns the names of parameters in the order of PyTorch's modules, from that in which they were made.
fn as_in_pytorch(mut names: Vec<&str>) -> Vec<&str> {
    let layer = |name: &str| name.rsplit_once('.').map_or(String::new(), |(layer, _)| layer.to_owned());
    let is_last = |name: &str| LAST.contains(&name.rsplit('.').next().unwrap_or(name));
    let mut start = 0;
    while start < names.len() {
        let of = layer(names[start]);
        let length = names[start..].iter().take_while(|name| layer(name) == of).count();
        names[start..start + length].sort_by_key(|name| is_last(name));
        start += length;
    }
    names
}

fn optimizer(checkpoint: &Checkpoint, index: usize, saved: &SavedOptimizer, names: Option<&[String]>) -> Value {
    let prefix = of_optimizer(index);
    let (mut states, mut groups, mut next) = (Vec::new(), Vec::new(), 0);
    let memory = checkpoint.metadata.lr_schedulers.get(index).map(LrSchedulerState::pytorch_groups).unwrap_or_default();
    for (index, (algorithm, parameters)) in saved.groups.iter().zip(&saved.parameters).enumerate() {
        let parameters = in_order(parameters, names);
        let indices: Vec<Value> = (next..).take(parameters.len()).map(Value::Int).collect();
        for (index, name) in (next..).zip(&parameters) {
            let prefix = format!("{prefix}{}", entry_name(name, ""));
            let slots = checkpoint.under(&prefix).filter(|(slot, tensor)| {
                // one without state yet has empty tensors
                !slot.contains('.') && tensor.size() != [0]
            });
            let state: Vec<(&str, Value)> =
                slots.map(|(slot, tensor)| (slot, Value::Tensor(tensor.shallow_clone()))).collect();
            if !state.is_empty() {
                states.push((Value::Int(index), dict(state)));
            }
        }
        next += parameters.len() as i64;
        groups.push(group(algorithm, memory.get(index), indices));
    }
    dict([("state", Value::Dict(states)), (PARAMETER_GROUPS, Value::List(groups))])
}

fn in_order<'a>(parameters: &'a [String], names: Option<&[String]>) -> Vec<&'a str> {
    let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    let Some(names) = names else { return as_in_pytorch(parameters) };
    let mut parameters = parameters;
    parameters.sort_by_key(|name| names.iter().position(|known| known == name).unwrap_or(names.len()));
    parameters
}

/// Returns a parameter group, with what schedulers keep in it.
fn group(algorithm: &Algorithm, memory: Option<&serde_json::Value>, indices: Vec<Value>) -> Value {
    let hyperparameters = algorithm.hyperparameters().unwrap_or_default();
    let memory = memory.and_then(serde_json::Value::as_object).into_iter().flatten();
    let entries = hyperparameters.iter().chain(memory).map(|(name, value)| (name.as_str(), hyperparameter(value)));
    dict(entries.chain([("params", Value::List(indices))]))
}

/// Pairs of numbers are tuples in PyTorch.
fn hyperparameter(json: &serde_json::Value) -> Value {
    match Value::of_json(json) {
        Value::List(items) => Value::Tuple(items),
        other => other,
    }
}

fn lr_scheduler(state: &LrSchedulerState) -> Value {
    Value::of_json(&state.pytorch_state())
}

fn grad_scaler(state: &GradScalerState) -> Value {
    let mut json = json::to_value(state).unwrap_or_default();
    if let Some(tracker) = json.as_object_mut().and_then(|state| state.remove("growth_tracker")) {
        json["_growth_tracker"] = tracker;
    }
    Value::of_json(&json)
}
