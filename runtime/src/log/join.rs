//! Joins the logged values of several processes.

use super::LogError;
use super::accumulator::{Accumulator, Reduction};
use super::entry::Kept;
use super::key::Key;
use super::recorded::Log;
use super::scalar::Scalar;
use crate::json_float::JsonFloat;
use crate::strategy::{Collectives, ReduceOperation, gather, gather_tensors};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use tch::{Device, Kind, TchError, Tensor};

/// The value of one process for an epoch, and its weight in a mean.
#[derive(Serialize, Deserialize)]
struct Part(JsonFloat, f64);

impl Log {
    /// Replaces the epoch's values with `sync_dist`, and those of metrics, by the values over all processes.
    pub(crate) fn join_epoch(&mut self, ranks: &dyn Collectives) -> Result<(), LogError> {
        self.join_values(ranks)?;
        self.join_metrics(ranks)
    }

    fn join_values(&mut self, ranks: &dyn Collectives) -> Result<(), LogError> {
        let mut own = BTreeMap::new();
        for (key, logged) in &self.logged {
            let is_joined = logged.arguments.sync_dist.is_some() && logged.arguments.on_epoch && logged.is_current;
            if let Some(Kept::Values(values)) = logged.kept.as_ref().filter(|_| is_joined)
                && let Some(value) = values.value()?
            {
                own.insert(key.in_words(), Part(JsonFloat(value), values.weight()));
            }
        }
        let all: Vec<BTreeMap<String, Part>> = gather(ranks, &own)?;
        // a process without batches has logged nothing
        check_names(
            all.iter().map(|own| own.keys()).filter(|names| names.len() > 0).map(|names| names.cloned().collect()),
        )?;
        for (key, logged) in &mut self.logged {
            let Some(reduction) = logged.arguments.sync_dist else { continue };
            let name = key.in_words();
            let parts: Vec<&Part> = all.iter().filter_map(|own| own.get(&name)).collect();
            if !parts.is_empty() {
                logged.joined = joined(reduction, &parts)?;
            }
        }
        Ok(())
    }

    /// Computes the values of the epoch's metrics over all processes.
    pub(crate) fn join_metrics(&mut self, ranks: &dyn Collectives) -> Result<(), LogError> {
        let mut metrics = BTreeMap::new();
        for (key, logged) in &self.logged {
            if let Some(Kept::Metric(index)) = logged.kept
                && self.metrics.get(index).has_epoch()
            {
                metrics.entry(index).or_insert_with(|| key.in_words());
            }
        }
        let failed = |name: &str, source| LogError::Metric { name: name.to_owned(), source };
        let mut own = Vec::new();
        for (index, name) in &metrics {
            let Some(handle) = self.metrics.get(*index).handle() else { continue };
            let state = handle.state().map_err(|source| failed(name, source))?;
            own.extend(state.into_iter().map(|(slot, tensor)| (format!("{name}{SLOT}{slot}"), tensor)));
        }
        let counts = gather(ranks, &own.len())?;
        if counts.iter().all(|count| *count == 0) {
            return Ok(());
        }
        let all = gather_tensors(ranks, &own)?;
        for (index, name) in metrics {
            let prefix = format!("{name}{SLOT}");
            let of_rank = |tensors: &Vec<(String, Tensor)>| -> Vec<(String, Tensor)> {
                let own = tensors.iter().filter_map(|(slot, tensor)| Some((slot.strip_prefix(&prefix)?, tensor)));
                own.map(|(slot, tensor)| (slot.to_owned(), tensor.shallow_clone())).collect()
            };
            let others = all.iter().enumerate().filter(|(rank, _)| *rank != ranks.rank().global);
            let others = others.map(|(_, tensors)| of_rank(tensors)).filter(|state| !state.is_empty()).collect();
            self.metrics.get_mut(index).join(others).map_err(|source| failed(&name, source))?;
        }
        Ok(())
    }

    /// Chooses the values of the running step whose processes are joined after it: those that were logged with `sync_dist` so far. Returns
    /// a number for their names, which is 0 for none.
    pub(crate) fn choose_steps_to_join(&mut self) -> u16 {
        let chosen = self.logged.iter().enumerate().filter(|(_, (_, logged))| {
            logged.arguments.on_step && logged.arguments.sync_dist.is_some() && logged.last.is_some()
        });
        let mut hash = DefaultHasher::new();
        self.steps_to_join.clear();
        for (index, (key, _)) in chosen {
            key.in_words().hash(&mut hash);
            self.steps_to_join.push(index);
        }
        if self.steps_to_join.is_empty() { 0 } else { (hash.finish() as u16).max(1) }
    }

    /// Replaces the chosen values by those over all processes, which have chosen the same names. `device` is the run's.
    pub(crate) fn join_steps(&mut self, ranks: &dyn Collectives, device: Device) -> Result<(), LogError> {
        let chosen = std::mem::take(&mut self.steps_to_join);
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::Min, Reduction::Max] {
            let is_of = |index: &&usize| self.logged[**index].arguments.sync_dist == Some(reduction);
            let indices: Vec<usize> = chosen.iter().filter(is_of).copied().collect();
            let values = indices.iter().filter_map(|index| self.logged[*index].last.as_ref());
            let values = values.map(|value| value.tensor(device)).collect::<Result<Vec<Tensor>, TchError>>()?;
            if values.is_empty() {
                continue;
            }
            let all = Tensor::f_stack(&values, 0)?;
            ranks.all_reduce(&all, reduction.of_ranks())?;
            let all = match reduction {
                Reduction::Mean => all.f_div_scalar(ranks.rank().world_size as f64)?,
                _ => all,
            };
            for (index, value) in indices.into_iter().zip(all.f_unbind(0)?) {
                self.logged[index].last = Some(Scalar::of(&value)?);
            }
        }
        Ok(())
    }

    /// Fails if the processes have chosen different names.
    pub(crate) fn check_steps_to_join(&self, ranks: &dyn Collectives) -> Result<(), LogError> {
        let keys = self.steps_to_join.iter().filter_map(|index| self.logged.get_index(*index));
        let own: BTreeSet<String> = keys.map(|(key, _)| key.in_words()).collect();
        check_names(gather(ranks, &own)?.into_iter())
    }
}

/// Between the name of a metric and that of a tensor of its state.
const SLOT: &str = "\u{1f}";

fn joined(reduction: Reduction, parts: &[&Part]) -> Result<Option<f64>, TchError> {
    let mut all = Accumulator::new(reduction);
    for Part(JsonFloat(value), weight) in parts {
        all.add(&Scalar::Number(*value), *weight, 0)?;
    }
    all.value()
}

/// Fails unless all processes have the same names.
fn check_names(ranks: impl Iterator<Item = BTreeSet<String>>) -> Result<(), LogError> {
    let ranks: Vec<BTreeSet<String>> = ranks.collect();
    for name in ranks.iter().flatten() {
        let (some, others): (Vec<usize>, Vec<usize>) = (0..ranks.len()).partition(|rank| ranks[*rank].contains(name));
        if !others.is_empty() {
            let (some, others) = (in_words(&some), in_words(&others));
            return Err(LogError::Ranks { name: name.clone(), some, others });
        }
    }
    Ok(())
}

fn in_words(ranks: &[usize]) -> String {
    let numbers: Vec<String> = ranks.iter().map(usize::to_string).collect();
    let noun = if ranks.len() == 1 { "rank" } else { "ranks" };
    format!("{noun} {}", numbers.join(", "))
}

impl Key {
    /// The name with its hook and loader.
    fn in_words(&self) -> String {
        format!("{}{} in {}", self.name, self.suffix(), self.hook)
    }
}

impl Scalar {
    /// Returns the value on a device, without waiting for it.
    fn tensor(&self, device: Device) -> Result<Tensor, TchError> {
        match self {
            Self::Tensor(tensor) => tensor.f_to_device(device)?.f_to_kind(Kind::Double),
            Self::Number(number) => Tensor::f_full([0i64; 0], *number, (Kind::Double, device)),
        }
    }
}

impl Reduction {
    fn of_ranks(self) -> ReduceOperation {
        match self {
            Self::Mean | Self::Sum => ReduceOperation::Sum,
            Self::Min => ReduceOperation::Min,
            Self::Max => ReduceOperation::Max,
        }
    }
}
