//! Step times of peers that run alternately, so that noise of the machine affects all of them.

mod mlp;

pub use mlp::{BATCH, LR, Mlp, Rows, rows};

use std::cell::RefCell;
use std::num::ParseIntError;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Returns the arguments of a benchmark, without those of cargo: the number of turns, which is `default` without arguments, and the rest.
///
/// # Errors
/// If the first argument is not a number.
pub fn arguments(default: usize) -> Result<(usize, Vec<String>), ParseIntError> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let turns = arguments.next().map_or(Ok(default), |turns| turns.parse())?;
    Ok((turns, arguments.collect()))
}

/// The step times of a peer, which its module writes.
pub type SharedSteps = Rc<RefCell<Steps>>;

/// The times of the steps of one peer.
#[derive(Debug, Default)]
pub struct Steps {
    began: Option<Instant>,
    /// The times of the current turn.
    took: Vec<Duration>,
    /// The median of each turn, in microseconds.
    medians: Vec<f64>,
    /// The mean of each turn, which contains what only a few steps do.
    means: Vec<f64>,
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
        let micros = || took.iter().map(|took| took.as_secs_f64() * 1e6);
        self.medians.push(median(micros()));
        self.means.push(micros().sum::<f64>() / took.len().max(1) as f64);
    }

    /// Returns the median over the turns of their median step, in microseconds; 0 without turns.
    pub fn median(&self) -> f64 {
        median(self.medians.iter().copied())
    }

    /// Returns the ratio of a step's time to that of a peer: the median over the turns of the ratio within each turn, in which
    /// the machine is equally fast for both.
    pub fn ratio(&self, peer: &Steps) -> f64 {
        ratio(&self.medians, &peer.medians)
    }

    /// Returns the median over the turns of their mean step, in microseconds; 0 without turns.
    pub fn mean(&self) -> f64 {
        median(self.means.iter().copied())
    }

    /// Returns the ratio of the mean steps, as [`ratio`](Self::ratio) does of the medians.
    pub fn ratio_of_means(&self, peer: &Steps) -> f64 {
        ratio(&self.means, &peer.means)
    }
}

fn ratio(own: &[f64], others: &[f64]) -> f64 {
    median(own.iter().zip(others).map(|(own, others)| own / others))
}

fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = of.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
