//! Times of peers that take turns, so that a noisy machine is noisy for all of them.

use std::time::{Duration, Instant};

/// The times of the steps of one peer.
#[derive(Debug, Default)]
pub struct Steps {
    began: Option<Instant>,
    took: Vec<Duration>,
}

impl Steps {
    /// Marks the beginning of a step, which is the end of the one before it.
    pub fn mark(&mut self) {
        let now = Instant::now();
        self.took.extend(self.began.replace(now).map(|began| now - began));
    }

    /// Ends a turn: what comes until the next mark belongs to no step.
    pub fn pause(&mut self) {
        self.began = None;
    }

    /// The median of all steps so far, in microseconds; 0 where there are none.
    pub fn median(&self) -> f64 {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).map_or(0.0, |median| median.as_secs_f64() * 1e6)
    }
}
