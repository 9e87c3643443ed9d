//! The metrics that a log has handles of, each once, however many names it was logged under.

use super::saved::ResumedMetric;
use crate::metrics::{Metric, MetricError};
use std::collections::HashMap;
use tch::Tensor;

/// Each metric at a place of its own.
#[derive(Default)]
pub(super) struct LoggedMetrics {
    metrics: Vec<LoggedMetric>,
    /// The places by [`Metric::state_id`]. The handles keep the states alive, so that no other state gets the same one.
    places: HashMap<usize, usize>,
    /// Places that no name has any more.
    free: Vec<usize>,
}

/// A metric that was logged in place of numbers; the model updates it.
#[derive(Default)]
pub(super) struct LoggedMetric {
    handle: Option<Box<dyn Metric>>,
    /// What it had accumulated before the run was resumed, until it is logged again.
    resumed: Option<ResumedMetric>,
    /// How many names it has.
    names: usize,
    /// How it was logged in this epoch.
    in_epoch: Option<InEpoch>,
}

#[derive(Clone, Copy)]
struct InEpoch {
    /// The first loader in whose batches it was logged, where there are several.
    dataloader_idx: Option<usize>,
    /// Whether its value for the epoch was asked for.
    on_epoch: bool,
}

impl LoggedMetrics {
    pub(super) fn get(&self, place: usize) -> &LoggedMetric {
        &self.metrics[place]
    }

    /// Whether the metric at a place is another one, as far as the two can be told apart.
    pub(super) fn is_another(&self, place: usize, metric: &dyn Metric) -> bool {
        let known = self.metrics[place].handle.as_ref().and_then(|handle| handle.state_id());
        known.zip(metric.state_id()).is_some_and(|(known, new)| known != new)
    }

    /// The place of a metric for one more name.
    pub(super) fn add(&mut self, metric: Box<dyn Metric>) -> Result<usize, MetricError> {
        let known = metric.state_id().and_then(|id| self.places.get(&id).copied());
        let place = known.unwrap_or_else(|| self.free_place());
        self.metrics[place].names += 1;
        self.put(place, metric)?;
        Ok(place)
    }

    /// A place without a metric, whose name is known from a checkpoint.
    pub(super) fn add_resumed(&mut self, resumed: Option<ResumedMetric>) -> usize {
        let place = self.free_place();
        self.metrics[place] = LoggedMetric { resumed, names: 1, ..LoggedMetric::default() };
        place
    }

    fn free_place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.metrics.push(LoggedMetric::default());
            self.metrics.len() - 1
        })
    }

    /// Counts one more name for the metric at a place.
    pub(super) fn name_again(&mut self, place: usize) {
        self.metrics[place].names += 1;
    }

    /// Takes the metric that a name was logged with now, which had the one at a place before. Returns its place.
    pub(super) fn replace(&mut self, place: usize, metric: Box<dyn Metric>) -> Result<usize, MetricError> {
        let has_a_place = metric.state_id().is_some_and(|id| self.places.contains_key(&id));
        let is_only_name = self.metrics[place].names == 1;
        if self.is_another(place, &*metric) && (has_a_place || !is_only_name) {
            self.forget_name(place);
            return self.add(metric);
        }
        self.put(place, metric)?;
        Ok(place)
    }

    /// The metric at a place has one name fewer.
    pub(super) fn forget_name(&mut self, place: usize) {
        self.metrics[place].names -= 1;
        if self.metrics[place].names == 0 {
            self.take_out(place);
            self.free.push(place);
        }
    }

    fn take_out(&mut self, place: usize) {
        let before = self.metrics[place].handle.take();
        if let Some(id) = before.and_then(|before| before.state_id()) {
            self.places.remove(&id);
        }
        (self.metrics[place].resumed, self.metrics[place].in_epoch) = (None, None);
    }

    fn put(&mut self, place: usize, metric: Box<dyn Metric>) -> Result<(), MetricError> {
        if self.is_another(place, &*metric) {
            self.take_out(place);
        }
        if let Some(ResumedMetric { state, .. }) = self.metrics[place].resumed.take() {
            metric.join_state(state.into_iter().collect())?;
        }
        self.places.extend(metric.state_id().map(|id| (id, place)));
        self.metrics[place].handle = Some(metric);
        Ok(())
    }

    /// Whether a metric was logged in this epoch, and a value is asked for that its batches are part of.
    pub(super) fn counts_in(&self, metric: &dyn Metric, on_epoch: bool) -> bool {
        let place = metric.state_id().and_then(|id| self.places.get(&id));
        let in_epoch = place.and_then(|place| self.metrics[*place].in_epoch);
        in_epoch.is_some_and(|before| before.on_epoch || on_epoch)
    }

    /// Notes how a metric was logged. Returns another loader in whose batches it was logged before in this epoch, where a
    /// value of the epoch is asked for: it would be that of both.
    pub(super) fn note(&mut self, place: usize, dataloader_idx: Option<usize>, on_epoch: bool) -> Option<usize> {
        let in_epoch = &mut self.metrics[place].in_epoch;
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
        self.places.clear();
    }

    /// Resets each of them.
    pub(super) fn reset(&mut self) {
        for metric in &mut self.metrics {
            (metric.resumed, metric.in_epoch) = (None, None);
            if let Some(handle) = &metric.handle {
                handle.reset();
            }
        }
    }
}

/// What a metric had accumulated at some time.
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

    pub(super) fn resumed(&self) -> Option<&ResumedMetric> {
        self.resumed.as_ref()
    }

    pub(super) fn has_accumulated(&self) -> bool {
        self.handle.is_some() || self.resumed.is_some()
    }

    /// The value over its batches; nothing where there was none. Waits for the device.
    pub(super) fn value(&self) -> Result<Option<Tensor>, MetricError> {
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
