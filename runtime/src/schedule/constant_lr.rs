use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require;
use super::rule::{RateInputs, Rule};

/// Multiplies the rate by `factor` for the first `total_iters` steps:
/// [`torch.optim.lr_scheduler.ConstantLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.ConstantLR.html).
///
/// ```text
/// ▃▃▃▃▃▃▃▃▃▃██████████████████████
/// ```
///
/// ```
/// use tch_lightning::schedule::ConstantLr;
///
/// let constant = ConstantLr::default().factor(0.1).total_iters(500);
/// assert_eq!(constant.factor, 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ConstantLr {
    /// The factor of the rate, above 0 and at most 1. Default 1/3. (PyTorch accepts 0, and fails later when it divides by
    /// it.)
    pub factor: f64,
    /// The step at which the full rate is restored. Default 5. With 0 it never is.
    pub total_iters: u64,
}

impl Default for ConstantLr {
    fn default() -> Self {
        Self { factor: 1.0 / 3.0, total_iters: 5 }
    }
}

impl ConstantLr {
    /// Sets the factor of the rate.
    pub fn factor(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// Sets the step at which the full rate is restored.
    pub fn total_iters(self, total_iters: u64) -> Self {
        Self { total_iters, ..self }
    }
}

impl From<ConstantLr> for super::Schedule {
    fn from(constant: ConstantLr) -> Self {
        Self::ConstantLr(constant)
    }
}

impl Rule for ConstantLr {
    fn name(&self) -> &'static str {
        "ConstantLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        let holds = self.factor > 0.0 && self.factor <= 1.0;
        require(holds, self.name(), "factor", self.factor, "above 0 and at most 1")
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        if inputs.epoch == 0 {
            inputs.lr * self.factor
        } else if inputs.epoch == self.total_iters {
            inputs.lr * (1.0 / self.factor)
        } else {
            inputs.lr
        }
    }

    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        let missing = if self.total_iters == 0 { 1.0 - self.factor } else { 0.0 };
        inputs.base_lr * (self.factor + missing)
    }
}
