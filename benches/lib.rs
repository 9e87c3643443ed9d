//! Times of peers that take turns, so that a noisy machine is noisy for all of them.

use std::time::{Duration, Instant};

/// The times of the steps of one peer.
#[derive(Debug, Default)]
pub struct Steps {
    began: Option<Instant>,
    /// Of the running turn.
    took: Vec<Duration>,
    /// Of each turn, in microseconds.
    medians: Vec<f64>,
}

impl Steps {
    /// Marks the beginning of a step, which is the end of the one before it.
    pub fn mark(&mut self) {
        let now = Instant::now();
        self.took.extend(self.began.replace(now).map(|began| now - began));
    }

    /// Ends a turn: what comes until the next mark belongs to no step.
    pub fn end_turn(&mut self) {
        self.began = None;
        let took = std::mem::take(&mut self.took);
        self.medians.push(median(took.iter().map(|took| took.as_secs_f64() * 1e6)));
    }

    /// The median over the turns of their median step, in microseconds; 0 where there are none.
    pub fn median(&self) -> f64 {
        median(self.medians.iter().copied())
    }

    /// How long a step takes, as a part of a peer's: the median over the turns of the ratio within the turn. A machine that is
    /// slower in some turns than in others is so for both.
    pub fn ratio(&self, peer: &Steps) -> f64 {
        median(self.medians.iter().zip(&peer.medians).map(|(own, others)| own / others))
    }
}

fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = of.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
