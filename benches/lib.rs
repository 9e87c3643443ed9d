//! Step times of peers that run alternately, so that noise of the machine affects all of them.

use std::time::{Duration, Instant};

/// The times of the steps of one peer.
#[derive(Debug, Default)]
pub struct Steps {
    began: Option<Instant>,
    /// The times of the current turn.
    took: Vec<Duration>,
    /// The median of each turn, in microseconds.
    medians: Vec<f64>,
}

impl Steps {
    /// Marks the beginning of a step, which is the end of the previous one.
    pub fn mark(&mut self) {
        let now = Instant::now();
        self.took.extend(self.began.replace(now).map(|began| now - began));
    }

    /// Ends a turn. The time until the next mark is not counted.
    pub fn end_turn(&mut self) {
        self.began = None;
        let took = std::mem::take(&mut self.took);
        self.medians.push(median(took.iter().map(|took| took.as_secs_f64() * 1e6)));
    }

    /// Returns the median over the turns of their median step, in microseconds; 0 without turns.
    pub fn median(&self) -> f64 {
        median(self.medians.iter().copied())
    }

    /// Returns the ratio of a step's time to that of a peer: the median over the turns of the ratio within each turn, in which
    /// the machine is equally fast for both.
    pub fn ratio(&self, peer: &Steps) -> f64 {
        median(self.medians.iter().zip(&peer.medians).map(|(own, others)| own / others))
    }
}

fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = of.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
