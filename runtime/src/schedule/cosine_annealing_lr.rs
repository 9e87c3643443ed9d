use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::{require_finite, require_positive};
use super::rule::{RateInputs, Rule};

/// Decays the rate to `eta_min` along half a cosine of `t_max` steps:
/// [`torch.optim.lr_scheduler.CosineAnnealingLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html).
///
/// At step `t` the rate is `eta_min + (initial - eta_min) * (1 + cos(π * t / t_max)) / 2`; after `t_max` steps it rises
/// again.
///
/// ```text
/// ██████▇▇▇▇▆▆▆▅▅▅▄▄▄▃▃▃▂▂▂▂▁▁▁▁▁▁
/// ```
///
/// The cosine of [*SGDR*](https://arxiv.org/abs/1608.03983) by Loshchilov and Hutter, without its restarts.
///
/// ```
/// use tch_lightning::schedule::CosineAnnealingLr;
///
/// let cosine = CosineAnnealingLr::new(100).eta_min(1e-5);
/// assert_eq!(cosine.t_max, 100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct CosineAnnealingLr {
    /// The number of steps of the decay, at least 1.
    #[serde(alias = "T_max")]
    pub t_max: u64,
    /// The lowest rate. Default 0.
    #[serde(default)]
    pub eta_min: f64,
}

impl CosineAnnealingLr {
    /// Creates a decay to 0 in `t_max` steps.
    pub fn new(t_max: u64) -> Self {
        Self { t_max, eta_min: 0.0 }
    }

    /// Sets the lowest rate.
    pub fn eta_min(self, eta_min: f64) -> Self {
        Self { eta_min, ..self }
    }
}

impl From<CosineAnnealingLr> for super::Schedule {
    fn from(cosine: CosineAnnealingLr) -> Self {
        Self::CosineAnnealingLr(cosine)
    }
}

impl Rule for CosineAnnealingLr {
    fn name(&self) -> &'static str {
        "CosineAnnealingLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        require_positive(self.name(), "t_max", self.t_max)?;
        require_finite(self.name(), "eta_min", self.eta_min)
    }

    fn first(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.lr
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        let t_max = self.t_max as f64;
        // one step after the lowest rate, the recursive form would divide by zero
        let since_the_lowest = i128::from(inputs.epoch) - 1 - i128::from(self.t_max);
        if since_the_lowest % (2 * i128::from(self.t_max)) == 0 {
            return inputs.lr + (inputs.base_lr - self.eta_min) * (1.0 - (PI / t_max).cos()) / 2.0;
        }
        let height = |time: f64| 1.0 + (PI * time / t_max).cos();
        height(inputs.time()) / height(inputs.time() - 1.0) * (inputs.lr - self.eta_min) + self.eta_min
    }

    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        self.eta_min + (inputs.base_lr - self.eta_min) * 2.0 / 2.0
    }
}
