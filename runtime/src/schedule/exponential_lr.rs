use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require_finite;
use super::rule::{RateInputs, Rule};

/// Multiplies the rate by `gamma` at every step:
/// [`torch.optim.lr_scheduler.ExponentialLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.ExponentialLR.html).
///
/// ```text
/// █▇▇▆▆▆▅▅▅▄▄▄▄▃▃▃▃▃▃▂▂▂▂▂▂▂▂▂▂▂▂▂
/// ```
///
/// ```
/// use tch_lightning::schedule::ExponentialLr;
///
/// assert_eq!(ExponentialLr::new(0.99).gamma, 0.99);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct ExponentialLr {
    /// The factor of each step.
    pub gamma: f64,
}

impl ExponentialLr {
    /// Creates a decay by this factor per step.
    pub fn new(gamma: f64) -> Self {
        Self { gamma }
    }
}

impl From<ExponentialLr> for super::Schedule {
    fn from(exponential: ExponentialLr) -> Self {
        Self::ExponentialLr(exponential)
    }
}

impl Rule for ExponentialLr {
    fn name(&self) -> &'static str {
        "ExponentialLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        require_finite(self.name(), "gamma", self.gamma)
    }

    fn first(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.lr
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.lr * self.gamma
    }

    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.base_lr
    }
}
