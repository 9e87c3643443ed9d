use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require_finite;
use super::rule::{Moment, Rule};

/// Multiplies the rate by `gamma` at every step, as
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
    /// What the rate is multiplied by.
    pub gamma: f64,
}

impl ExponentialLr {
    /// Decay by this factor.
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

    fn first(&self, moment: &Moment<'_>) -> f64 {
        moment.lr
    }

    fn next(&self, moment: &Moment<'_>) -> f64 {
        moment.lr * self.gamma
    }

    fn start(&self, moment: &Moment<'_>) -> f64 {
        moment.base_lr
    }
}
