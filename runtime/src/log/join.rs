//! Joins the logged values of several processes.

use super::LogError;
use super::accumulator::{Accumulator, Reduction};
use super::arguments::Arguments;
use super::columns::Columns;
use super::entry::{Kept, Logged};
use super::key::Key;
use super::of_rank::{Entry, OfRank, together};
use super::recorded::{Log, metric_value};
use super::scalar::Scalar;
use crate::json_float::JsonFloat;
use crate::messages::warning;
use crate::strategy::{Collectives, Operation, ReduceOperation, gather, gather_tensors};
use indexmap::map::Entry::{Occupied, Vacant};
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
        self.warn_of_values_that_are_not_joined();
        self.join_values(ranks)?;
        self.join_metrics(ranks)
    }

    /// Warns once of each value of an epoch that is logged without `sync_dist`, as Lightning does.
    fn warn_of_values_that_are_not_joined(&mut self) {
        let Self { logged, not_joined, .. } = self;
        let own = logged.iter().filter(|(_, logged)| {
            let Arguments { on_epoch, sync_dist, .. } = logged.arguments;
            on_epoch && sync_dist.is_none() && logged.is_current && matches!(logged.kept, Some(Kept::Values(_)))
        });
        let names: Vec<&str> =
            own.map(|(key, _)| key.name.as_str()).filter(|name| !not_joined.contains(*name)).collect();
        if let Some(first) = names.first() {
            let verb = if names.len() == 1 { "is" } else { "are" };
            warning!(
                "{} {verb} logged without `sync_dist`, so that the value of an epoch is that of rank 0's samples alone: write `.sync_dist(true)` \
                 after `ctx.log(\"{first}\", …)`",
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            );
        }
        not_joined.extend(names.into_iter().map(str::to_owned).collect::<Vec<_>>());
    }

    fn join_values(&mut self, ranks: &dyn Collectives) -> Result<(), LogError> {
        let mut entries = BTreeMap::new();
        for (key, logged) in &self.logged {
            let is_joined = logged.arguments.sync_dist.is_some() && logged.arguments.on_epoch && logged.is_current;
            if let Some(Kept::Values(values)) = logged.kept.as_ref().filter(|_| is_joined)
                && let Some(value) = values.value()?
            {
                let part = Part(JsonFloat(value), values.weight());
                entries.insert(key.in_words(), (Entry::of(key, logged.arguments), part));
            }
        }
        let all = gather(ranks, Operation::LoggedValues, &OfRank { loaders: self.loaders(), entries })?;
        for (entry, parts) in together(&all)?.into_values() {
            if let Some(reduction) = entry.arguments.sync_dist {
                self.take_joined(entry, joined(reduction, &parts)?)?;
            }
        }
        Ok(())
    }

    /// Takes the value over all processes, also of a name that only others have logged.
    fn take_joined(&mut self, entry: &Entry, value: Option<f64>) -> Result<(), LogError> {
        let Some(key) = entry.key() else { return Ok(()) };
        let logged = match self.logged.entry(key) {
            Occupied(logged) => logged.into_mut(),
            Vacant(new) => {
                let logged = Logged::new(entry.arguments);
                self.columns.take(new.key(), &logged, &Columns::default())?;
                new.insert(logged)
            }
        };
        (logged.joined, logged.is_current) = (value, true);
        Ok(())
    }

    /// Computes the values of the epoch's metrics over all processes.
    pub(crate) fn join_metrics(&mut self, ranks: &dyn Collectives) -> Result<(), LogError> {
        let (mut metrics, mut entries) = (BTreeMap::new(), BTreeMap::new());
        for (key, logged) in &self.logged {
            if let Some(Kept::Metric(index)) = logged.kept
                && self.metrics.get(index).has_epoch()
            {
                metrics.entry(index).or_insert_with(|| key.in_words());
                if logged.arguments.on_epoch && logged.is_current {
                    entries.insert(key.in_words(), (Entry::of(key, logged.arguments), index));
                }
            }
        }
        let all = gather(ranks, Operation::Metrics, &OfRank { loaders: self.loaders(), entries })?;
        let names = together(&all)?;
        if names.is_empty() {
            return Ok(());
        }
        self.join_states(ranks, &metrics)?;
        if names.values().any(|(_, having)| having.len() < all.len()) {
            self.take_values_of_others(ranks, &all)?;
        }
        Ok(())
    }

    /// Joins the states of metrics, each with the name by which the others know it.
    fn join_states(&mut self, ranks: &dyn Collectives, metrics: &BTreeMap<usize, String>) -> Result<(), LogError> {
        let failed = |name: &str, source| LogError::Metric { name: name.to_owned(), source };
        let mut own = Vec::new();
        for (index, name) in metrics {
            let Some(handle) = self.metrics.get(*index).handle() else { continue };
            let state = handle.state().map_err(|source| failed(name, source))?;
            own.extend(state.into_iter().map(|(slot, tensor)| (format!("{name}{SLOT}{slot}"), tensor)));
        }
        let all = gather_tensors(ranks, Operation::Metrics, &own)?;
        for (index, name) in metrics {
            let prefix = format!("{name}{SLOT}");
            let of_rank = |tensors: &Vec<(String, Tensor)>| -> Vec<(String, Tensor)> {
                let own = tensors.iter().filter_map(|(slot, tensor)| Some((slot.strip_prefix(&prefix)?, tensor)));
                own.map(|(slot, tensor)| (slot.to_owned(), tensor.shallow_clone())).collect()
            };
            let others = all.iter().enumerate().filter(|(rank, _)| *rank != ranks.rank().global);
            let others = others.map(|(_, tensors)| of_rank(tensors)).filter(|state| !state.is_empty()).collect();
            self.metrics.get_mut(*index).join(others).map_err(|source| failed(name, source))?;
        }
        Ok(())
    }

    /// Takes the values of metrics that only other processes have logged, which have joined them.
    fn take_values_of_others(&mut self, ranks: &dyn Collectives, all: &[OfRank<usize>]) -> Result<(), LogError> {
        let own = &all[ranks.rank().global].entries;
        let mut values = BTreeMap::new();
        for (name, (_, index)) in own {
            values.insert(name.clone(), metric_value(self.metrics.get(*index), name)?.map(JsonFloat));
        }
        let values: Vec<BTreeMap<String, Option<JsonFloat>>> = gather(ranks, Operation::Metrics, &values)?;
        for (name, (entry, _)) in all.iter().flat_map(|rank| &rank.entries) {
            if own.contains_key(name) {
                continue;
            }
            let value = values.iter().find_map(|values| values.get(name)).cloned().flatten();
            self.take_joined(entry, value.map(|JsonFloat(value)| value))?;
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
            ranks.all_reduce(Operation::LoggedValues, &all, reduction.of_ranks())?;
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
        check_names(gather(ranks, Operation::LoggedValues, &own)?.into_iter())
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
    let differing = ranks.iter().flatten().find(|name| ranks.iter().any(|rank| !rank.contains(*name)));
    let Some(name) = differing else { return Ok(()) };
    let names = ranks.iter().map(|rank| rank.iter().map(String::as_str).collect());
    Err(LogError::of_ranks(name, &names.collect::<Vec<_>>()))
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
