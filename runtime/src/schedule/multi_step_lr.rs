use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require_finite;
use super::rule::{RateInputs, Rule};

/// Multiplies the rate by `gamma` at each milestone:
/// [`torch.optim.lr_scheduler.MultiStepLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.MultiStepLR.html).
///
/// ```text
/// ████████████████▅▅▅▅▅▅▅▅▅▅▃▃▃▃▃▃
/// ```
///
/// ```
/// use tch_lightning::schedule::MultiStepLr;
///
/// let steps = MultiStepLr::new([30, 80]);
/// assert_eq!(steps.gamma, 0.1);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct MultiStepLr {
    /// The steps at which the rate changes, in any order. A step that occurs twice counts twice.
    pub milestones: Vec<u64>,
    /// The factor at each milestone. Default 0.1.
    #[serde(default = "default_gamma")]
    pub gamma: f64,
}

fn default_gamma() -> f64 {
    0.1
}

impl MultiStepLr {
    /// Creates a decay to a tenth at each of these steps.
    pub fn new(milestones: impl Into<Vec<u64>>) -> Self {
        Self { milestones: milestones.into(), gamma: default_gamma() }
    }

    /// Sets the factor at each milestone.
    pub fn gamma(self, gamma: f64) -> Self {
        Self { gamma, ..self }
    }

    fn count(&self, epoch: u64) -> usize {
        self.milestones.iter().filter(|milestone| **milestone == epoch).count()
    }
}

impl From<MultiStepLr> for super::Schedule {
    fn from(steps: MultiStepLr) -> Self {
        Self::MultiStepLr(steps)
    }
}

impl Rule for MultiStepLr {
    fn name(&self) -> &'static str {
        "MultiStepLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        require_finite(self.name(), "gamma", self.gamma)
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        match self.count(inputs.epoch) {
            0 => inputs.lr,
            count => inputs.lr * self.gamma.powf(count as f64),
        }
    }

    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.base_lr * self.gamma.powf(self.count(0) as f64)
    }
}
