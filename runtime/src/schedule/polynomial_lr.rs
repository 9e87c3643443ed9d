use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require;
use super::rule::{RateInputs, Rule};

/// Decays the rate to 0 in `total_iters` steps:
/// [`torch.optim.lr_scheduler.PolynomialLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.PolynomialLR.html).
///
/// At step `t` it is the initial rate times `(1 - t / total_iters)^power`; here with a power of 2:
///
/// ```text
/// ██▇▇▆▆▆▅▅▅▄▄▄▃▃▃▃▂▂▂▂▂▂▁▁▁▁▁▁▁▁▁
/// ```
///
/// ```
/// use tch_lightning::schedule::PolynomialLr;
///
/// assert_eq!(PolynomialLr::new(100).power, 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct PolynomialLr {
    /// The step from which on the rate is 0. Default 5. With 0 the rate does not change.
    pub total_iters: u64,
    /// The power of the polynomial, 0 or more. Default 1: a straight line.
    pub power: f64,
}

impl Default for PolynomialLr {
    fn default() -> Self {
        Self { total_iters: 5, power: 1.0 }
    }
}

impl PolynomialLr {
    /// Creates a linear decay to 0 in `total_iters` steps.
    pub fn new(total_iters: u64) -> Self {
        Self { total_iters, ..Self::default() }
    }

    /// Sets the power of the polynomial.
    pub fn power(self, power: f64) -> Self {
        Self { power, ..self }
    }
}

impl From<PolynomialLr> for super::Schedule {
    fn from(polynomial: PolynomialLr) -> Self {
        Self::PolynomialLr(polynomial)
    }
}

impl Rule for PolynomialLr {
    fn name(&self) -> &'static str {
        "PolynomialLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        let holds = self.power >= 0.0 && self.power.is_finite();
        require(holds, self.name(), "power", self.power, "a finite number of 0 or more")
    }

    fn first(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.lr
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        if inputs.epoch > self.total_iters || self.total_iters == 0 {
            return inputs.lr;
        }
        let left = |time: f64| 1.0 - time / self.total_iters as f64;
        inputs.lr * (left(inputs.time()) / left(inputs.time() - 1.0)).powf(self.power)
    }

    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.base_lr
    }
}
