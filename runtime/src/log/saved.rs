//! The state of a log within its epoch, saved in checkpoints so that a resumed epoch has the values of a complete one.

use super::LogError;
use super::accumulator::{Accumulator, Reduction, SavedAccumulator};
use super::arguments::Arguments;
use super::entry::{Kept, Logged};
use super::key::Key;
use super::logged_metrics::LoggedMetric;
use super::recorded::Log;
use super::scalar::Scalar;
use crate::json_float::JsonFloat;
use crate::named_tensors::{NamedTensors, under};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tch::{Device, TchError, Tensor};

/// A log, apart from its tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedLog(Vec<SavedEntry>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedEntry {
    hook: String,
    name: String,
    dataloader_idx: Option<usize>,
    on_step: bool,
    on_epoch: bool,
    prog_bar: bool,
    logger: bool,
    /// Older checkpoints only have names with the number of the loader.
    #[serde(default = "always")]
    add_dataloader_idx: bool,
    #[serde(default)]
    sync_dist: Option<Reduction>,
    /// Whether it was logged in the epoch; all were that older checkpoints have.
    #[serde(default = "always")]
    is_current: bool,
    /// Whether its tensors are on the CPU, for a run on any device.
    on_cpu: bool,
    last: Option<JsonFloat>,
    finished: Option<JsonFloat>,
    epoch: SavedAccumulator,
    /// Of a metric, the index of the first entry that logged it, which has its tensors. Older checkpoints have them at each.
    #[serde(default)]
    metric: Option<usize>,
}

fn always() -> bool {
    true
}

const LAST: &str = "last";
const METRIC: &str = "metric.";
const VALUE: &str = "value";

/// The state of a metric from before the resume.
pub(super) struct ResumedMetric {
    pub(super) state: NamedTensors,
    /// Its value, where no batch follows in this epoch.
    pub(super) value: Option<Tensor>,
}

impl Log {
    /// Returns the log, and its tensors by name.
    pub(crate) fn save(&self) -> Result<(SavedLog, NamedTensors), LogError> {
        let (mut entries, mut tensors) = (Vec::new(), NamedTensors::new());
        let mut first_indices = HashMap::new();
        for (index, (key, logged)) in self.logged.iter().enumerate() {
            let mut own = NamedTensors::new();
            if let Some(Scalar::Tensor(last)) = &logged.last {
                own.insert(LAST.to_owned(), last.shallow_clone());
            }
            let mut saved = SavedEntry::of(key, logged, self.mark);
            match &logged.kept {
                None => {}
                Some(Kept::Values(values)) => own.extend(values.tensors()?),
                Some(Kept::Metric(metric)) => {
                    let first = *first_indices.entry(*metric).or_insert(index);
                    saved.metric = Some(first);
                    if first == index {
                        own.extend(self.metrics.get(*metric).saved(&key.name)?);
                    }
                }
            }
            saved.on_cpu = own.values().all(|tensor| tensor.device() == Device::Cpu);
            tensors.extend(own.into_iter().map(|(name, tensor)| (format!("{index}.{name}"), tensor)));
            entries.push(saved);
        }
        Ok((SavedLog(entries), tensors))
    }

    /// The log that was saved, of a run on `device`.
    pub(crate) fn restored(saved: &SavedLog, tensors: &NamedTensors, device: Device) -> Result<Self, LogError> {
        let mut log = Self::default();
        let mut metrics = HashMap::new();
        for (index, entry) in saved.0.iter().enumerate() {
            let own = |index: usize| -> Result<NamedTensors, TchError> {
                let prefix = format!("{index}.");
                let device = if entry.on_cpu { Device::Cpu } else { device };
                let own = under(tensors, &prefix);
                own.map(|(name, tensor)| Ok((name.to_owned(), tensor.f_to_device(device)?))).collect()
            };
            let Some(key) = entry.key() else { continue };
            let tensors = own(index)?;
            let mut logged = entry.restored(&tensors)?;
            if let Some(first) = entry.metric.or((!metric_state(&tensors).is_empty()).then_some(index)) {
                let metric = match metrics.get(&first) {
                    Some(metric) => *metric,
                    None => log.metrics.add_resumed(ResumedMetric::of(&own(first)?)),
                };
                if metrics.insert(first, metric).is_some() {
                    log.metrics.name_again(metric);
                }
                logged.kept = Some(Kept::Metric(metric));
            }
            log.columns.restore(&key, &logged);
            log.logged.insert(key, logged);
        }
        Ok(log)
    }
}

fn metric_state(tensors: &NamedTensors) -> NamedTensors {
    under(tensors, METRIC).map(|(slot, tensor)| (slot.to_owned(), tensor.shallow_clone())).collect()
}

impl ResumedMetric {
    /// `None` for a metric without batches.
    fn of(tensors: &NamedTensors) -> Option<Self> {
        let state = metric_state(tensors);
        (!state.is_empty()).then(|| Self { state, value: tensors.get(VALUE).map(Tensor::shallow_clone) })
    }

    fn saved(&self) -> NamedTensors {
        let state = self.state.iter().map(|(slot, tensor)| (format!("{METRIC}{slot}"), tensor.shallow_clone()));
        state.chain(self.value.iter().map(|value| (VALUE.to_owned(), value.shallow_clone()))).collect()
    }
}

impl LoggedMetric {
    /// Returns the state that a run resumed now would have; `None` if it cannot be read.
    pub(super) fn kept(&self) -> Option<ResumedMetric> {
        self.saved("").ok().and_then(|tensors| ResumedMetric::of(&tensors))
    }

    /// Returns its state and its value; `None` without batches.
    fn saved(&self, name: &str) -> Result<NamedTensors, LogError> {
        let Some(metric) = self.handle() else {
            return Ok(self.resumed().map(ResumedMetric::saved).unwrap_or_default());
        };
        let state = metric.state().map_err(|source| LogError::Metric { name: name.to_owned(), source })?;
        if state.last().map_or(Ok(0), |(_, updates)| updates.f_int64_value(&[]))? == 0 {
            return Ok(NamedTensors::new());
        }
        // a metric without a value, such as for too few samples, may have one after the next batch
        let value = self.joined().map_or_else(|| metric.compute().ok(), |joined| Some(joined.shallow_clone()));
        Ok(ResumedMetric { state: state.into_iter().collect(), value }.saved())
    }
}

impl SavedEntry {
    fn of(key: &Key, logged: &Logged, mark: u64) -> Self {
        let Arguments { on_step, on_epoch, prog_bar, logger, reduction, add_dataloader_idx, sync_dist } =
            logged.arguments;
        let epoch = match &logged.kept {
            Some(Kept::Values(values)) => values.saved(mark),
            _ => Accumulator::new(reduction).saved(mark),
        };
        let last = match &logged.last {
            Some(Scalar::Number(number)) => Some(JsonFloat(*number)),
            _ => None,
        };
        Self {
            hook: key.hook.name().to_owned(),
            name: key.name.clone(),
            dataloader_idx: key.dataloader_idx,
            on_step,
            on_epoch,
            prog_bar,
            logger,
            add_dataloader_idx,
            sync_dist,
            is_current: logged.is_current,
            on_cpu: true,
            last,
            finished: logged.finished.map(JsonFloat),
            epoch,
            metric: None,
        }
    }

    fn key(&self) -> Option<Key> {
        Key::of_hook_named(&self.hook, self.dataloader_idx, &self.name)
    }

    fn restored(&self, tensors: &NamedTensors) -> Result<Logged, LogError> {
        let Self { on_step, on_epoch, prog_bar, logger, .. } = *self;
        let arguments = Arguments {
            on_step,
            on_epoch,
            prog_bar,
            logger,
            reduction: self.epoch.reduction(),
            add_dataloader_idx: self.add_dataloader_idx,
            sync_dist: self.sync_dist,
        };
        let last = match (tensors.get(LAST), self.last) {
            (Some(tensor), _) => Some(Scalar::of(tensor)?),
            (None, number) => number.map(|JsonFloat(number)| Scalar::Number(number)),
        };
        Ok(Logged {
            kept: Some(Kept::Values(Accumulator::restored(&self.epoch, tensors)?)),
            last,
            is_current: self.is_current,
            finished: self.finished.map(|JsonFloat(number)| number),
            is_restored: true,
            ..Logged::new(arguments)
        })
    }
}
