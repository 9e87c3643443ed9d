//! When something that recurs was due last: what an interval in optimizer steps or in time is counted from.

use crate::every::Stopwatch;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The optimizer steps and the time at which a recurring action was last checked or performed.
#[derive(Clone, Debug, Default)]
pub(crate) struct IntervalClock {
    stopwatch: Stopwatch,
    steps_seen: u64,
    /// The number of training batches, over all epochs, after which the scheduler stepped last.
    done_after: Option<usize>,
}

/// A clock as a checkpoint keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedIntervalClock {
    elapsed: Duration,
    steps_seen: u64,
    #[serde(default)]
    done_after: Option<usize>,
}

impl IntervalClock {
    /// Whether a multiple of `every` steps lies between the steps that were [seen](Self::see) last and `steps`.
    pub(crate) fn passes(&self, steps: u64, every: u64) -> bool {
        steps / every > self.steps_seen / every
    }

    /// Whether this much time has passed since the last restart.
    pub(crate) fn has_passed(&self, time: Duration) -> bool {
        self.stopwatch.has_passed(time)
    }

    /// Counts the time from now on.
    pub(crate) fn restart(&mut self) {
        self.stopwatch.restart();
    }

    /// Counts the steps from `steps` on.
    pub(crate) fn see(&mut self, steps: u64) {
        self.steps_seen = steps;
    }

    /// The clock in a checkpoint. The time is only saved for intervals in time, so that other checkpoints do not depend on
    /// it.
    pub(crate) fn saved(&self, counts_time: bool) -> SavedIntervalClock {
        let elapsed = if counts_time { self.stopwatch.elapsed() } else { Duration::ZERO };
        SavedIntervalClock { elapsed, steps_seen: self.steps_seen, done_after: self.done_after }
    }

    /// Whether it was done after this many batches, or later: a run that is resumed after a failure may do some batches, or the
    /// end of an epoch, again.
    pub(crate) fn was_done_after(&self, batches: usize) -> bool {
        self.done_after.is_some_and(|done| batches <= done)
    }

    /// It was done after this many batches.
    pub(crate) fn set_done_after(&mut self, batches: usize) {
        self.done_after = Some(batches);
    }
}

impl From<SavedIntervalClock> for IntervalClock {
    fn from(SavedIntervalClock { elapsed, steps_seen, done_after }: SavedIntervalClock) -> Self {
        Self { stopwatch: Stopwatch::started(elapsed), steps_seen, done_after }
    }
}
