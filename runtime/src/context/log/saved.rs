//! What a checkpoint keeps of a log within its epoch, so that a resumed epoch has the values of a whole one.

use super::LogError;
use super::accumulator::{Accumulator, SavedAccumulator};
use super::recorded::{Log, Logged, Scalar};
use super::value::scalar;
use crate::any_number::AnyNumber;
use crate::checkpoint::under;
use crate::hook::Hook;
use crate::metrics::Metric;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Whether its tensors are on the CPU, wherever the run is.
    on_cpu: bool,
    last: Option<AnyNumber>,
    finished: Option<AnyNumber>,
    epoch: SavedAccumulator,
}

/// Tensors by their names in a checkpoint.
pub(crate) type NamedTensors = BTreeMap<String, Tensor>;

const LAST: &str = "last";
const METRIC: &str = "metric.";
const VALUE: &str = "value";

/// What a metric had accumulated before the run was resumed.
pub(super) struct ResumedMetric {
    state: NamedTensors,
    /// Its value, where no batch follows in this epoch.
    pub(super) value: Option<Tensor>,
}

impl Log {
    /// The log, and its tensors under names of their own.
    pub(crate) fn save(&self) -> Result<(SavedLog, NamedTensors), LogError> {
        let (mut entries, mut tensors) = (Vec::new(), NamedTensors::new());
        for (place, logged) in self.logged.iter().enumerate() {
            let mut own = logged.epoch.tensors()?;
            if let Some(Scalar::Tensor(last)) = &logged.last {
                own.insert(LAST.to_owned(), last.shallow_clone());
            }
            own.extend(logged.metric.as_deref().map_or(Ok(NamedTensors::new()), |metric| kept(metric, &logged.name))?);
            let on_cpu = own.values().all(|tensor| tensor.device() == Device::Cpu);
            tensors.extend(own.into_iter().map(|(name, tensor)| (format!("{place}.{name}"), tensor)));
            entries.push(logged.saved(on_cpu));
        }
        Ok((SavedLog(entries), tensors))
    }

    /// The log that was saved, of a run on `device`.
    pub(crate) fn restored(saved: &SavedLog, tensors: &NamedTensors, device: Device) -> Result<Self, LogError> {
        let restored = |(place, saved): (usize, &SavedEntry)| {
            let prefix = format!("{place}.");
            let device = if saved.on_cpu { Device::Cpu } else { device };
            let own = under(tensors, &prefix).map(|(name, tensor)| Ok((name.to_owned(), tensor.f_to_device(device)?)));
            let own: Result<NamedTensors, TchError> = own.collect();
            saved.restored(own?)
        };
        let logged: Result<Vec<Option<Logged>>, LogError> = saved.0.iter().enumerate().map(restored).collect();
        Ok(Self { logged: logged?.into_iter().flatten().collect(), ended: false })
    }
}

/// The state of a metric and its value; nothing where it has seen no batch.
fn kept(metric: &dyn Metric, name: &str) -> Result<NamedTensors, LogError> {
    let state = metric.state().map_err(|source| LogError::Metric { name: name.to_owned(), source })?;
    if state.last().map_or(Ok(0), |(_, updates)| updates.f_int64_value(&[]))? == 0 {
        return Ok(NamedTensors::new());
    }
    // what has no value yet, as of too few samples, may have one after the next batch
    let value = metric.compute().ok().map(|value| (VALUE.to_owned(), value));
    Ok(state.into_iter().map(|(slot, tensor)| (format!("{METRIC}{slot}"), tensor)).chain(value).collect())
}

impl Logged {
    fn saved(&self, on_cpu: bool) -> SavedEntry {
        let last = match &self.last {
            Some(Scalar::Number(number)) => Some(AnyNumber(*number)),
            _ => None,
        };
        SavedEntry {
            hook: self.hook.name().to_owned(),
            name: self.name.clone(),
            dataloader_idx: self.dataloader_idx,
            on_step: self.on_step,
            on_epoch: self.on_epoch,
            prog_bar: self.prog_bar,
            logger: self.logger,
            on_cpu,
            last,
            finished: self.finished.map(AnyNumber),
            epoch: self.epoch.saved(),
        }
    }

    /// Adds what the metric had accumulated before the run was resumed.
    pub(super) fn join_resumed(&mut self, metric: &dyn Metric) -> Result<(), LogError> {
        let Some(ResumedMetric { state: mut before, .. }) = self.resumed.take() else { return Ok(()) };
        let failed = |source| LogError::Metric { name: self.name.clone(), source };
        let ways: BTreeMap<_, _> = metric.dist_reduce_fx().into_iter().collect();
        let mut joined = Vec::new();
        for (slot, since) in metric.state().map_err(failed)? {
            let both = match (ways.get(&slot), before.remove(&slot)) {
                (Some(way), Some(before)) => way.join(&before, &since.f_to_device(before.device())?)?,
                _ => since,
            };
            joined.push((slot, both));
        }
        metric.load_state(joined).map_err(failed)
    }
}

impl SavedEntry {
    /// Nothing for a hook that this version does not know.
    fn restored(&self, mut tensors: NamedTensors) -> Result<Option<Logged>, LogError> {
        let Some(hook) = Hook::ALL.iter().copied().find(|hook| hook.name() == self.hook) else { return Ok(None) };
        let last = match (tensors.remove(LAST), self.last) {
            (Some(tensor), _) => Some(Scalar::Tensor(scalar(&tensor)?)),
            (None, number) => number.map(|AnyNumber(number)| Scalar::Number(number)),
        };
        let metric = under(&tensors, METRIC).map(|(slot, tensor)| (slot.to_owned(), tensor.shallow_clone()));
        let metric: NamedTensors = metric.collect();
        Ok(Some(Logged {
            hook,
            name: self.name.clone(),
            dataloader_idx: self.dataloader_idx,
            last,
            epoch: Accumulator::restored(&self.epoch, &tensors)?,
            metric: None,
            resumed: (!metric.is_empty()).then(|| ResumedMetric { state: metric, value: tensors.remove(VALUE) }),
            finished: self.finished.map(|AnyNumber(number)| number),
            on_step: self.on_step,
            on_epoch: self.on_epoch,
            prog_bar: self.prog_bar,
            logger: self.logger,
        }))
    }
}
