//! The metrics that a log has handles of, each once, however many names it was logged under.

use super::saved::ResumedMetric;
use crate::metrics::{Metric, MetricError};
use std::collections::HashMap;
use tch::Tensor;

/// The metrics, by index.
#[derive(Default)]
pub(super) struct LoggedMetrics {
    metrics: Vec<LoggedMetric>,
    /// The indices by [`Metric::state_id`]. The handles keep the states alive, so that no other state gets the same one.
    indices: HashMap<usize, usize>,
    /// Places that no name has any more.
    free: Vec<usize>,
}

/// A metric that was logged in place of numbers; the model updates it.
#[derive(Default)]
pub(super) struct LoggedMetric {
    handle: Option<Box<dyn Metric>>,
    /// The state from before the run was resumed, until the metric is logged again.
    resumed: Option<ResumedMetric>,
    /// The value over the batches of all processes, until the metric is logged again.
    joined: Option<Tensor>,
    /// How many names it has.
    names: usize,
    /// How it was logged in this epoch.
    in_epoch: Option<InEpoch>,
}

#[derive(Clone, Copy)]
struct InEpoch {
    /// The loader with the batches in which it was logged first, if there are several loaders.
    dataloader_idx: Option<usize>,
    /// Whether its value for the epoch was requested.
    on_epoch: bool,
}

impl LoggedMetrics {
    pub(super) fn get_mut(&mut self, index: usize) -> &mut LoggedMetric {
        &mut self.metrics[index]
    }

    pub(super) fn get(&self, index: usize) -> &LoggedMetric {
        &self.metrics[index]
    }

    /// Returns whether the metric at an index is a different one, as far as the two can be distinguished.
    pub(super) fn is_another(&self, index: usize, metric: &dyn Metric) -> bool {
        let known = self.metrics[index].handle.as_ref().and_then(|handle| handle.state_id());
        known.zip(metric.state_id()).is_some_and(|(known, new)| known != new)
    }

    /// Returns the index of a metric for one more name.
    pub(super) fn add(&mut self, metric: Box<dyn Metric>) -> Result<usize, MetricError> {
        let known = metric.state_id().and_then(|id| self.indices.get(&id).copied());
        let index = known.unwrap_or_else(|| self.free_index());
        self.metrics[index].names += 1;
        self.put(index, metric)?;
        Ok(index)
    }

    /// Adds an entry without a metric, for a name in a checkpoint.
    pub(super) fn add_resumed(&mut self, resumed: Option<ResumedMetric>) -> usize {
        let index = self.free_index();
        self.metrics[index] = LoggedMetric { resumed, names: 1, ..LoggedMetric::default() };
        index
    }

    fn free_index(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.metrics.push(LoggedMetric::default());
            self.metrics.len() - 1
        })
    }

    /// Adds one more name to the metric at an index.
    pub(super) fn name_again(&mut self, index: usize) {
        self.metrics[index].names += 1;
    }

    /// Replaces the metric at an index by the one with which a name is now logged. Returns its index.
    pub(super) fn replace(&mut self, index: usize, metric: Box<dyn Metric>) -> Result<usize, MetricError> {
        let has_an_index = metric.state_id().is_some_and(|id| self.indices.contains_key(&id));
        let is_only_name = self.metrics[index].names == 1;
        if self.is_another(index, &*metric) && (has_an_index || !is_only_name) {
            self.forget_name(index);
            return self.add(metric);
        }
        self.put(index, metric)?;
        Ok(index)
    }

    /// Removes one name of the metric at an index, and the metric with its last name.
    pub(super) fn forget_name(&mut self, index: usize) {
        self.metrics[index].names -= 1;
        if self.metrics[index].names == 0 {
            self.take_out(index);
            self.free.push(index);
        }
    }

    fn take_out(&mut self, index: usize) {
        let before = self.metrics[index].handle.take();
        if let Some(id) = before.and_then(|before| before.state_id()) {
            self.indices.remove(&id);
        }
        (self.metrics[index].resumed, self.metrics[index].in_epoch) = (None, None);
    }

    fn put(&mut self, index: usize, metric: Box<dyn Metric>) -> Result<(), MetricError> {
        if self.is_another(index, &*metric) {
            self.take_out(index);
        }
        if let Some(ResumedMetric { state, .. }) = self.metrics[index].resumed.take() {
            metric.join_state(state.into_iter().collect())?;
        }
        self.indices.extend(metric.state_id().map(|id| (id, index)));
        (self.metrics[index].handle, self.metrics[index].joined) = (Some(metric), None);
        Ok(())
    }

    /// Returns whether a metric was logged in this epoch, and a value over its batches was requested.
    pub(super) fn counts_in(&self, metric: &dyn Metric, on_epoch: bool) -> bool {
        let index = metric.state_id().and_then(|id| self.indices.get(&id));
        let in_epoch = index.and_then(|index| self.metrics[*index].in_epoch);
        in_epoch.is_some_and(|before| before.on_epoch || on_epoch)
    }

    /// Records how a metric was logged. Returns the other loader if it was logged in the batches of another one in this
    /// epoch and a value of the epoch is requested, which would mix both.
    pub(super) fn note(&mut self, index: usize, dataloader_idx: Option<usize>, on_epoch: bool) -> Option<usize> {
        let in_epoch = &mut self.metrics[index].in_epoch;
        let first = in_epoch.and_then(|before| before.dataloader_idx).or(dataloader_idx);
        let on_epoch = on_epoch || in_epoch.is_some_and(|before| before.on_epoch);
        *in_epoch = Some(InEpoch { dataloader_idx: first, on_epoch });
        first.filter(|first| on_epoch && dataloader_idx.is_some_and(|second| second != *first))
    }

    /// The states of all metrics that have a handle, to be given back to them.
    pub(super) fn states(&self) -> Result<Vec<MetricState>, MetricError> {
        let handles = self.metrics.iter().filter_map(|metric| metric.handle.as_deref());
        handles.map(|handle| Ok(MetricState { metric: handle.shallow_clone(), state: handle.state()? })).collect()
    }

    /// Keeps what each metric has accumulated as if the run had been resumed, and resets the metrics, which may be those of
    /// another run from now on.
    pub(super) fn release(&mut self) {
        for metric in &mut self.metrics {
            let kept = metric.kept();
            if let Some(handle) = metric.handle.take() {
                metric.resumed = kept;
                handle.reset();
            }
        }
        self.indices.clear();
    }

    /// Resets each of them.
    pub(super) fn reset(&mut self) {
        for metric in &mut self.metrics {
            (metric.resumed, metric.in_epoch, metric.joined) = (None, None, None);
            if let Some(handle) = &metric.handle {
                handle.reset();
            }
        }
    }
}

/// The saved state of a metric.
pub(crate) struct MetricState {
    metric: Box<dyn Metric>,
    state: Vec<(String, Tensor)>,
}

impl MetricState {
    /// Gives the metric what it had accumulated.
    pub(crate) fn restore(self) -> Result<(), MetricError> {
        self.metric.load_state(self.state)
    }
}

impl LoggedMetric {
    pub(super) fn handle(&self) -> Option<&dyn Metric> {
        self.handle.as_deref()
    }

    /// Whether it has the batches of the epoch, of which a value was requested.
    pub(super) fn has_epoch(&self) -> bool {
        self.handle.is_some() && self.in_epoch.is_some_and(|in_epoch| in_epoch.on_epoch)
    }

    /// Computes the value over the batches of all processes, from the states of the others.
    pub(super) fn join(&mut self, others: Vec<Vec<(String, Tensor)>>) -> Result<(), MetricError> {
        let Some(handle) = &self.handle else { return Ok(()) };
        let own = handle.state()?;
        let joined = others.into_iter().try_for_each(|state| handle.join_state(state));
        let value = joined.and_then(|()| handle.compute());
        handle.load_state(own)?;
        self.joined = match value {
            Err(MetricError::NoUpdates { .. }) => None,
            value => Some(value?),
        };
        Ok(())
    }

    /// The value over the batches of all processes, if it was computed.
    pub(super) fn joined(&self) -> Option<&Tensor> {
        self.joined.as_ref()
    }

    pub(super) fn resumed(&self) -> Option<&ResumedMetric> {
        self.resumed.as_ref()
    }

    pub(super) fn has_accumulated(&self) -> bool {
        self.handle.is_some() || self.resumed.is_some()
    }

    /// The value over its batches; nothing where there was none. Waits for the device.
    pub(super) fn value(&self) -> Result<Option<Tensor>, MetricError> {
        if let Some(joined) = &self.joined {
            return Ok(Some(joined.shallow_clone()));
        }
        let resumed = self.resumed.as_ref().and_then(|resumed| resumed.value.as_ref());
        match (&self.handle, resumed) {
            (Some(handle), _) => match handle.compute() {
                Err(MetricError::NoUpdates { .. }) => Ok(None),
                value => value.map(Some),
            },
            (None, value) => Ok(value.map(Tensor::shallow_clone)),
        }
    }
}
