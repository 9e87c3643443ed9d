//! Optimizers' states in PyTorch's form, which knows parameters by their positions.

use super::PARAMETER_GROUPS;
use super::value::Value;
use crate::checkpoint::SavedOptimizer;
use crate::counted::counted;
use crate::named_tensors::NamedTensors;
use crate::optim::{Algorithm, Optimizer, ParameterGroup, entry_name, not_started};
use std::collections::{BTreeMap, BTreeSet};
use tch::{Kind, Tensor};

/// Returns the state of an optimizer as the run's own would be saved, and its tensors by parameter and slot.
///
/// # Errors
/// A clause about the first difference.
pub(super) fn optimizer(
    saved: &Value,
    own: &Optimizer,
    names: &[String],
    steps: u64,
) -> Result<(SavedOptimizer, NamedTensors), String> {
    if own.groups().iter().any(|group| matches!(group.algorithm(), Algorithm::Lbfgs(_))) {
        return Err(
            "is L-BFGS, whose state has another form in PyTorch: take the weights alone, by `--resume weights`"
                .to_owned(),
        );
    }
    let groups = saved.items_of(PARAMETER_GROUPS);
    if groups.len() != own.groups().len() {
        let of_it = counted(groups.len(), "parameter group");
        return Err(format!("has {of_it}, but the run's has {}", own.groups().len()));
    }
    let states: BTreeMap<usize, &Value> = saved
        .get("state")
        .into_iter()
        .flat_map(Value::entries)
        .filter_map(|(index, state)| Some((index.count()?, state)))
        .collect();
    let mut tensors = NamedTensors::new();
    let mut algorithms = Vec::new();
    for (index, (group, own)) in groups.iter().zip(own.groups()).enumerate() {
        let in_group = |reason: String| format!("has in its parameter group {index} {reason}");
        algorithms.push(algorithm(group, own.algorithm()).map_err(in_group)?);
        for (name, state) in in_order(group, own, names, &states).map_err(in_group)? {
            let slots = own.slot_names(&name);
            check_slots(state, &slots).map_err(in_group)?;
            tensors.extend(slots.into_iter().map(|slot| (entry_name(&name, slot), tensor(state, slot))));
        }
    }
    Ok((SavedOptimizer { groups: algorithms, parameters: own.names_by_group(), steps }, tensors))
}

/// Returns the run's algorithm with the saved hyperparameters.
fn algorithm(group: &Value, own: &Algorithm) -> Result<Algorithm, String> {
    let saved = group.to_json().unwrap_or_default();
    own.with_pytorch_hyperparameters(&saved)
}

/// Returns the saved state of each parameter of a group. The parameters are those of the module in their order, in which PyTorch's modules
/// list them, or sorted by name, as some programs group them; the shapes tell which.
fn in_order<'a>(
    group: &Value,
    own: &ParameterGroup,
    names: &[String],
    states: &BTreeMap<usize, &'a Value>,
) -> Result<Vec<(String, Option<&'a Value>)>, String> {
    let indices: Vec<usize> = group.items_of("params").iter().filter_map(Value::count).collect();
    let own_names: BTreeSet<&str> = own.parameters().iter().map(|(name, _)| name.as_str()).collect();
    let of_module: Vec<&str> = names.iter().map(String::as_str).filter(|name| own_names.contains(name)).collect();
    let mut sorted = of_module.clone();
    sorted.sort_unstable();
    // frozen parameters are in PyTorch's optimizers, but never have a state
    let with_state: Vec<usize> = indices.iter().copied().filter(|index| states.contains_key(index)).collect();
    let fits = |order: &[&str], indices: &[usize]| {
        let has_shapes = |(name, index): (&&str, &usize)| {
            states.get(index).is_none_or(|state| has_shapes(state, |slot| own.slot_size(name, slot)))
        };
        order.len() == indices.len() && order.iter().zip(indices).all(has_shapes)
    };
    let orders = [&of_module, &sorted];
    let found = [&indices, &with_state]
        .into_iter()
        .find_map(|indices| orders.into_iter().find(|order| fits(order, indices)).map(|order| (order, indices)));
    let Some((order, indices)) = found else {
        let (saved, own) = (counted(indices.len(), "parameter"), own_names.len());
        return Err(if indices.len() == own {
            "states of other shapes than its parameters in the order of the `state_dict`".to_owned()
        } else {
            format!("{saved}, but the run's has {own}")
        });
    };
    Ok(order.iter().zip(indices).map(|(name, index)| ((*name).to_owned(), states.get(index).copied())).collect())
}

/// Returns an error if the state has a tensor for which the run's optimizer has no place.
fn check_slots(state: Option<&Value>, slots: &[&str]) -> Result<(), String> {
    let mut tensors = state.into_iter().flat_map(Value::named_entries).filter(|(_, value)| value.tensor().is_some());
    match tensors.find(|(slot, _)| !slots.contains(slot)) {
        None => Ok(()),
        Some((slot, _)) => {
            Err(format!("the state `{slot}`, which the run's optimizer does not have with its hyperparameters"))
        }
    }
}

/// Whether the tensors of a state, other than single numbers, have the shapes of their slots.
fn has_shapes(state: &Value, size: impl Fn(&str) -> Option<Vec<i64>>) -> bool {
    let mut tensors = state.named_entries().filter_map(|(slot, value)| Some((slot, value.tensor()?)));
    tensors.all(|(slot, tensor)| tensor.dim() == 0 || size(slot).is_none_or(|size| tensor.size() == size))
}

/// Returns the tensor of a slot, which is empty before the first step of its parameter.
fn tensor(state: Option<&Value>, slot: &str) -> Tensor {
    match state.and_then(|state| state.get(slot)) {
        Some(Value::Tensor(tensor)) => tensor.shallow_clone(),
        // `step` of older versions
        Some(Value::Int(number)) => Tensor::from(*number as f32),
        Some(Value::Float(number)) => Tensor::from(*number).to_kind(Kind::Float),
        _ => not_started(),
    }
}
