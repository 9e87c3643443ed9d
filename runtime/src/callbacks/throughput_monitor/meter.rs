use super::{Throughput, ThroughputTotals};
use std::time::{Duration, Instant};

/// What one loop has seen since it began, and when that was.
#[derive(Debug)]
pub(super) struct Meter {
    throughput: Throughput,
    start: Instant,
    seen: ThroughputTotals,
    /// Since when it stands still.
    paused: Option<Instant>,
}

impl Meter {
    pub(super) fn new(throughput: Throughput) -> Self {
        Self { throughput, start: Instant::now(), seen: ThroughputTotals::default(), paused: None }
    }

    /// The loop begins.
    pub(super) fn start(&mut self) {
        self.throughput.reset();
        self.seen = ThroughputTotals::default();
        self.start = Instant::now();
        self.paused = None;
    }

    /// A batch of so much is done.
    pub(super) fn count(&mut self, batch: ThroughputTotals) {
        let sum = |total: Option<u64>, part: Option<u64>| part.map(|part| total.unwrap_or(0) + part);
        self.seen = ThroughputTotals {
            batches: self.seen.batches + batch.batches,
            samples: self.seen.samples + batch.samples,
            lengths: sum(self.seen.lengths, batch.lengths),
            flops: sum(self.seen.flops, batch.flops),
        };
    }

    /// The batches since the loop began.
    pub(super) fn batches(&self) -> usize {
        self.seen.batches as usize
    }

    /// The device has done all that was counted.
    pub(super) fn update(&mut self) {
        self.throughput.update(self.start.elapsed(), self.seen);
    }

    /// What happens until `resume` is not part of the loop's time.
    pub(super) fn pause(&mut self) {
        self.paused = Some(Instant::now());
    }

    pub(super) fn resume(&mut self) {
        self.start += self.paused.take().map_or(Duration::ZERO, |paused| paused.elapsed());
    }

    /// The metrics, with the loop's name before theirs.
    pub(super) fn metrics(&self, stage: &str) -> Vec<(String, f64)> {
        let metrics = self.throughput.compute().into_iter();
        metrics.map(|(name, value)| (format!("{stage}/{name}"), value)).collect()
    }
}
