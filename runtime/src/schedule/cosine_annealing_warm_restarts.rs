use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::{require_finite, require_positive};
use super::rule::{RateInputs, Rule};

/// Cosine annealing that restarts from the initial rate:
/// [`torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html).
///
/// `t` steps after a restart the rate is `eta_min + (initial - eta_min) * (1 + cos(π * t / length)) / 2`. The length is
/// `t_0` steps at first, and is multiplied by `t_mult` at each restart; here by 2:
///
/// ```text
/// ██▆▅▃▁███▇▆▅▅▄▃▂▁▁█████▇▇▇▆▆▅▅▅▄
/// ```
///
/// [Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*](https://arxiv.org/abs/1608.03983).
///
/// Each rate is computed from the initial one, not from the previous one: a rate set by hand lasts until the next step. For
/// restarts within an epoch, step after every batch, with the lengths in batches: PyTorch's `step(epoch)` with a fraction
/// has no counterpart here.
///
/// ```
/// use tch_lightning::schedule::CosineAnnealingWarmRestarts;
///
/// let restarts = CosineAnnealingWarmRestarts::new(10).t_mult(2);
/// assert_eq!(restarts.eta_min, 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct CosineAnnealingWarmRestarts {
    /// The number of steps until the first restart, at least 1.
    #[serde(alias = "T_0")]
    pub t_0: u64,
    /// The factor by which the length grows at each restart, at least 1. Default 1.
    #[serde(default = "default_t_mult", alias = "T_mult")]
    pub t_mult: u64,
    /// The lowest rate. Default 0.
    #[serde(default)]
    pub eta_min: f64,
}

fn default_t_mult() -> u64 {
    1
}

impl CosineAnnealingWarmRestarts {
    /// Creates a decay to 0 that restarts every `t_0` steps.
    pub fn new(t_0: u64) -> Self {
        Self { t_0, t_mult: default_t_mult(), eta_min: 0.0 }
    }

    /// Sets the factor by which the length grows at each restart.
    pub fn t_mult(self, t_mult: u64) -> Self {
        Self { t_mult, ..self }
    }

    /// Sets the lowest rate.
    pub fn eta_min(self, eta_min: f64) -> Self {
        Self { eta_min, ..self }
    }

    /// The number of steps since the last restart, and the number from there to the next.
    fn stretch(&self, epoch: u64) -> (u64, u64) {
        if self.t_mult == 1 {
            return (epoch % self.t_0, self.t_0);
        }
        let (mut since, mut length) = (epoch, self.t_0);
        while since >= length {
            since -= length;
            length = length.saturating_mul(self.t_mult);
        }
        (since, length)
    }
}

impl From<CosineAnnealingWarmRestarts> for super::Schedule {
    fn from(restarts: CosineAnnealingWarmRestarts) -> Self {
        Self::CosineAnnealingWarmRestarts(restarts)
    }
}

impl Rule for CosineAnnealingWarmRestarts {
    fn name(&self) -> &'static str {
        "CosineAnnealingWarmRestarts"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        require_positive(self.name(), "t_0", self.t_0)?;
        require_positive(self.name(), "t_mult", self.t_mult)?;
        require_finite(self.name(), "eta_min", self.eta_min)
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        let (since, length) = self.stretch(inputs.epoch);
        let height = 1.0 + (PI * since as f64 / length as f64).cos();
        self.eta_min + (inputs.base_lr - self.eta_min) * height / 2.0
    }
}
