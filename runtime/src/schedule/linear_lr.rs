use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require;
use super::rule::{RateInputs, Rule};

/// Changes the rate in equal steps from `start_factor` to `end_factor` times its value:
/// [`torch.optim.lr_scheduler.LinearLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.LinearLR.html).
///
/// ```text
/// ▂▂▃▃▄▄▅▅▆▆▇▇████████████████████
/// ```
///
/// Usually a warm-up: see [`SequentialLr::warm_up`](super::SequentialLr::warm_up).
///
/// ```
/// use tch_lightning::schedule::LinearLr;
///
/// let linear = LinearLr::default().start_factor(0.01).total_iters(500);
/// assert_eq!(linear.end_factor, 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct LinearLr {
    /// The factor at the start, above 0 and at most 1. Default 1/3.
    pub start_factor: f64,
    /// The factor from the step `total_iters` on, at least 0 and at most 1. Default 1.
    pub end_factor: f64,
    /// The step at which `end_factor` is reached. Default 5. With 0 the rate stays at `start_factor`.
    pub total_iters: u64,
}

impl Default for LinearLr {
    fn default() -> Self {
        Self { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: 5 }
    }
}

impl LinearLr {
    /// Sets the factor at the start.
    pub fn start_factor(self, start_factor: f64) -> Self {
        Self { start_factor, ..self }
    }

    /// Sets the factor at the end.
    pub fn end_factor(self, end_factor: f64) -> Self {
        Self { end_factor, ..self }
    }

    /// Sets the step at which `end_factor` is reached.
    pub fn total_iters(self, total_iters: u64) -> Self {
        Self { total_iters, ..self }
    }
}

impl From<LinearLr> for super::Schedule {
    fn from(linear: LinearLr) -> Self {
        Self::LinearLr(linear)
    }
}

impl Rule for LinearLr {
    fn name(&self) -> &'static str {
        "LinearLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        let start = self.start_factor > 0.0 && self.start_factor <= 1.0;
        require(start, self.name(), "start_factor", self.start_factor, "above 0 and at most 1")?;
        let end = (0.0..=1.0).contains(&self.end_factor);
        require(end, self.name(), "end_factor", self.end_factor, "at least 0 and at most 1")
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        if inputs.epoch == 0 {
            return inputs.lr * self.start_factor;
        }
        if inputs.epoch > self.total_iters {
            return inputs.lr;
        }
        let rise = self.end_factor - self.start_factor;
        let before = self.total_iters as f64 * self.start_factor + (inputs.time() - 1.0) * rise;
        inputs.lr * (1.0 + rise / before)
    }

    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.base_lr * self.start_factor
    }
}
