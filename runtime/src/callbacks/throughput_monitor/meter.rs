use super::{Throughput, ThroughputTotals};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The time and the totals of one loop since it began.
#[derive(Debug)]
pub(super) struct Meter {
    throughput: Throughput,
    start: Instant,
    /// The time before the run was resumed.
    before: Duration,
    seen: ThroughputTotals,
    /// The time at which the clock was paused.
    paused: Option<Instant>,
}

/// The state of a loop that checkpoints contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    time: Duration,
    seen: ThroughputTotals,
}

impl Meter {
    pub(super) fn new(throughput: Throughput) -> Self {
        Self {
            throughput,
            start: Instant::now(),
            before: Duration::ZERO,
            seen: ThroughputTotals::default(),
            paused: None,
        }
    }

    /// Starts the clock of a loop.
    pub(super) fn start(&mut self) {
        self.start_after(Counted::default());
    }

    /// Starts the clock of a loop that continues from earlier totals.
    pub(super) fn start_after(&mut self, Counted { time, seen }: Counted) {
        self.throughput.reset();
        self.seen = seen;
        self.before = time;
        self.start = Instant::now();
        self.paused = None;
    }

    /// Returns the time and the totals so far.
    pub(super) fn counted(&self) -> Counted {
        Counted { time: self.time(), seen: self.seen }
    }

    fn time(&self) -> Duration {
        let own =
            self.paused.map_or_else(|| self.start.elapsed(), |paused| paused.saturating_duration_since(self.start));
        self.before.saturating_add(own)
    }

    /// Adds a batch to the totals.
    pub(super) fn count(&mut self, batch: ThroughputTotals) {
        let sum = |total: Option<u64>, part: Option<u64>| part.map(|part| total.unwrap_or(0).saturating_add(part));
        self.seen = ThroughputTotals {
            batches: self.seen.batches.saturating_add(batch.batches),
            samples: self.seen.samples.saturating_add(batch.samples),
            lengths: sum(self.seen.lengths, batch.lengths),
            flops: sum(self.seen.flops, batch.flops),
        };
    }

    /// Returns the number of batches since the loop began.
    pub(super) fn batches(&self) -> usize {
        self.seen.batches as usize
    }

    /// Records the time; the device must have completed all counted batches.
    pub(super) fn update(&mut self) {
        self.throughput.update(self.time(), self.seen);
    }

    /// Stops the clock until [`resume`](Self::resume).
    pub(super) fn pause(&mut self) {
        self.paused = Some(Instant::now());
    }

    pub(super) fn resume(&mut self) {
        self.start += self.paused.take().map_or(Duration::ZERO, |paused| paused.elapsed());
    }

    /// Returns the metrics, with the name of the loop as a prefix.
    pub(super) fn metrics(&self, stage: &str) -> Vec<(String, f64)> {
        let metrics = self.throughput.compute().into_iter();
        metrics.map(|(name, value)| (format!("{stage}/{name}"), value)).collect()
    }
}
