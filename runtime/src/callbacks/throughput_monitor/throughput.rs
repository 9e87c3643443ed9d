use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// Batches, samples, items and floating-point operations per second, over the most recent batches. Lightning's
/// [`Throughput`](https://lightning.ai/docs/fabric/stable/api/utilities.html), for one device.
///
/// [`ThroughputMonitor`](crate::callbacks::ThroughputMonitor) updates one; in a loop of your own, call [`update`](Self::update)
/// with totals after every batch, or less often:
///
/// ```
/// use std::time::Duration;
/// use tch_lightning::{callbacks::{Throughput, ThroughputTotals}};
///
/// let mut throughput = Throughput::new().window_size(3);
/// for batches in 1..=5 {
///     let time = Duration::from_millis(250) * batches;
///     let batches = u64::from(batches);
///     throughput.update(time, ThroughputTotals { batches, samples: 32 * batches, ..Default::default() });
/// }
/// let metrics = throughput.compute();
/// assert!(metrics.contains(&("device/samples_per_sec".to_owned(), 128.0)));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Throughput {
    window_size: u64,
    available_flops: Option<f64>,
    moments: VecDeque<(Duration, ThroughputTotals)>,
}

/// The totals since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThroughputTotals {
    /// The number of batches.
    pub batches: u64,
    /// The number of samples in the batches.
    pub samples: u64,
    /// The number of items in the samples, such as tokens; `None` if they are not counted.
    pub lengths: Option<u64>,
    /// The number of floating-point operations; `None` if it is unknown.
    pub flops: Option<u64>,
}

impl Default for Throughput {
    fn default() -> Self {
        Self { window_size: 100, available_flops: None, moments: VecDeque::new() }
    }
}

impl Throughput {
    /// Creates a throughput with a window of 100 batches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of batches, at least 2, over which rates are computed: from the end of the first to the end of the last.
    pub fn window_size(self, window_size: usize) -> Self {
        Self { window_size: window_size.max(2) as u64, ..self }
    }

    /// Sets the device's peak floating-point operations per second, for the model's utilization of them.
    pub fn available_flops(self, available_flops: f64) -> Self {
        Self { available_flops: Some(available_flops), ..self }
    }

    /// Records the totals at `time` since the beginning. Neither may decrease.
    pub fn update(&mut self, time: Duration, seen: ThroughputTotals) {
        self.moments.push_back((time, seen));
        // the window begins at the newest record that is old enough to fill it
        while self.moments.get(1).is_some_and(|(_, later)| self.fills_window(later)) {
            self.moments.pop_front();
        }
    }

    fn fills_window(&self, first: &ThroughputTotals) -> bool {
        self.moments.back().is_some_and(|(_, last)| last.batches - first.batches >= self.window_size - 1)
    }

    /// Returns the totals and, if the window is full, the rates, by Lightning's names:
    ///
    /// | name | |
    /// |---|---|
    /// | `time` | seconds since the beginning |
    /// | `batches`, `samples`, `lengths` | the totals since then |
    /// | `device/batches_per_sec`, `device/samples_per_sec`, `device/items_per_sec` | over the window |
    /// | `device/flops_per_sec` | floating-point operations per second over the window |
    /// | `device/mfu` | that as a fraction of the available ones: the model's FLOPs utilization |
    ///
    /// Omits values that were not counted. Empty before the first update.
    pub fn compute(&self) -> Vec<(String, f64)> {
        let Some((time, seen)) = self.moments.back() else { return Vec::new() };
        let mut metrics = vec![
            ("time", Some(time.as_secs_f64())),
            ("batches", Some(seen.batches as f64)),
            ("samples", Some(seen.samples as f64)),
            ("lengths", seen.lengths.map(|lengths| lengths as f64)),
        ];
        metrics.extend(self.rates());
        metrics.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    fn rates(&self) -> Vec<(&'static str, Option<f64>)> {
        let (Some((start, first)), Some((end, last))) = (self.moments.front(), self.moments.back()) else {
            return Vec::new();
        };
        let seconds = end.saturating_sub(*start).as_secs_f64();
        if !self.fills_window(first) || seconds == 0.0 {
            return Vec::new();
        }
        let rate = |first: u64, last: u64| last.saturating_sub(first) as f64 / seconds;
        let rate_of = |first: Option<u64>, last: Option<u64>| Some(rate(first?, last?));
        let flops = rate_of(first.flops, last.flops);
        vec![
            ("device/batches_per_sec", Some(rate(first.batches, last.batches))),
            ("device/samples_per_sec", Some(rate(first.samples, last.samples))),
            ("device/items_per_sec", rate_of(first.lengths, last.lengths)),
            ("device/flops_per_sec", flops),
            ("device/mfu", self.available_flops.and_then(|available| Some(flops? / available))),
        ]
    }

    /// Discards all records.
    pub fn reset(&mut self) {
        self.moments.clear();
    }
}
