use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require_finite;
use super::rule::{Moment, Rule};

/// Multiplies the rate by `gamma` at each milestone, as
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
    /// The steps at which the rate changes, in any order. One that stands here twice counts twice.
    pub milestones: Vec<u64>,
    /// What the rate is multiplied by. Default 0.1.
    #[serde(default = "default_gamma")]
    pub gamma: f64,
}

fn default_gamma() -> f64 {
    0.1
}

impl MultiStepLr {
    /// A step down at each of these steps, to a tenth.
    pub fn new(milestones: impl Into<Vec<u64>>) -> Self {
        Self { milestones: milestones.into(), gamma: default_gamma() }
    }

    /// Sets what the rate is multiplied by.
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

    fn next(&self, moment: &Moment<'_>) -> f64 {
        match self.count(moment.epoch) {
            0 => moment.lr,
            count => moment.lr * self.gamma.powf(count as f64),
        }
    }

    fn start(&self, moment: &Moment<'_>) -> f64 {
        moment.base_lr * self.gamma.powf(self.count(0) as f64)
    }
}
