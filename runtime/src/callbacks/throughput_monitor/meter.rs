use super::{Throughput, ThroughputTotals};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What one loop has seen since it began, and when that was.
#[derive(Debug)]
pub(super) struct Meter {
    throughput: Throughput,
    start: Instant,
    /// The time before, in the run that is resumed.
    before: Duration,
    seen: ThroughputTotals,
    /// Since when it stands still.
    paused: Option<Instant>,
}

/// What a checkpoint keeps of a loop.
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

    /// The loop begins.
    pub(super) fn start(&mut self) {
        self.start_after(Counted::default());
    }

    /// The loop continues after what was counted before.
    pub(super) fn start_after(&mut self, Counted { time, seen }: Counted) {
        self.throughput.reset();
        self.seen = seen;
        self.before = time;
        self.start = Instant::now();
        self.paused = None;
    }

    /// What was counted until now.
    pub(super) fn counted(&self) -> Counted {
        Counted { time: self.time(), seen: self.seen }
    }

    fn time(&self) -> Duration {
        let own =
            self.paused.map_or_else(|| self.start.elapsed(), |paused| paused.saturating_duration_since(self.start));
        self.before.saturating_add(own)
    }

    /// A batch of so much is done.
    pub(super) fn count(&mut self, batch: ThroughputTotals) {
        let sum = |total: Option<u64>, part: Option<u64>| part.map(|part| total.unwrap_or(0).saturating_add(part));
        self.seen = ThroughputTotals {
            batches: self.seen.batches.saturating_add(batch.batches),
            samples: self.seen.samples.saturating_add(batch.samples),
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
        self.throughput.update(self.time(), self.seen);
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
