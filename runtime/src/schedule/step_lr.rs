use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::{require_finite, require_positive};
use super::rule::{RateInputs, Rule};

/// Multiplies the rate by `gamma` at every `step_size`th step:
/// [`torch.optim.lr_scheduler.StepLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.StepLR.html).
///
/// ```text
/// ████████▅▅▅▅▅▅▅▅▃▃▃▃▃▃▃▃▂▂▂▂▂▂▂▂
/// ```
///
/// ```
/// use tch_lightning::schedule::StepLr;
///
/// let step = StepLr::new(30).gamma(0.5);
/// assert_eq!((step.step_size, step.gamma), (30, 0.5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct StepLr {
    /// The number of steps between two changes of the rate, at least 1.
    pub step_size: u64,
    /// The factor of each change. Default 0.1.
    #[serde(default = "default_gamma")]
    pub gamma: f64,
}

fn default_gamma() -> f64 {
    0.1
}

impl StepLr {
    /// Creates a decay to a tenth every `step_size` steps.
    pub fn new(step_size: u64) -> Self {
        Self { step_size, gamma: default_gamma() }
    }

    /// Sets the factor of each change.
    pub fn gamma(self, gamma: f64) -> Self {
        Self { gamma, ..self }
    }
}

impl From<StepLr> for super::Schedule {
    fn from(step: StepLr) -> Self {
        Self::StepLr(step)
    }
}

impl Rule for StepLr {
    fn name(&self) -> &'static str {
        "StepLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        require_positive(self.name(), "step_size", self.step_size)?;
        require_finite(self.name(), "gamma", self.gamma)
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        let falls = inputs.epoch > 0 && inputs.epoch.is_multiple_of(self.step_size);
        if falls { inputs.lr * self.gamma } else { inputs.lr }
    }

    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.base_lr
    }
}
