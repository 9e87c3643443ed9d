use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::groups::ParameterGroupRates;
use super::rule::{RateInputs, Rule};
use super::{AnnealStrategy, PerGroup, ScheduleError};

/// Anneals the rate from its current value to `swa_lr`, and keeps it there:
/// [`torch.optim.swa_utils.SWALR`](https://docs.pytorch.org/docs/2.13/optim.html#swa-learning-rate-schedules).
///
/// ```text
/// ████▇▇▆▅▅▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄
/// ```
///
/// It is the schedule of [`StochasticWeightAveraging`](crate::callbacks::StochasticWeightAveraging), stepped after every epoch.
///
/// ```
/// use tch_lightning::schedule::{AnnealStrategy, SwaLr};
///
/// let swa = SwaLr::new(0.05).anneal_epochs(5).anneal_strategy(AnnealStrategy::Linear);
/// assert_eq!(SwaLr::new(0.05).anneal_epochs, 10);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct SwaLr {
    /// The rate at the end.
    pub swa_lr: PerGroup<f64>,
    /// The number of steps of the annealing; with 0 the rate is set at once. Default 10.
    #[serde(default = "default_anneal_epochs")]
    pub anneal_epochs: u64,
    /// The curve of the annealing. Default [`AnnealStrategy::Cos`].
    #[serde(default)]
    pub anneal_strategy: AnnealStrategy,
}

fn default_anneal_epochs() -> u64 {
    10
}

impl SwaLr {
    /// Creates an annealing to this rate in 10 steps.
    pub fn new(swa_lr: impl Into<PerGroup<f64>>) -> Self {
        Self {
            swa_lr: swa_lr.into(),
            anneal_epochs: default_anneal_epochs(),
            anneal_strategy: AnnealStrategy::default(),
        }
    }

    /// Sets the number of steps of the annealing.
    pub fn anneal_epochs(self, anneal_epochs: u64) -> Self {
        Self { anneal_epochs, ..self }
    }

    /// Sets the curve of the annealing.
    pub fn anneal_strategy(self, anneal_strategy: AnnealStrategy) -> Self {
        Self { anneal_strategy, ..self }
    }

    /// The fraction of the annealing that is complete after `step` steps, 0 to 1.
    fn part(&self, step: f64) -> f64 {
        let time = (step / self.anneal_epochs.max(1) as f64).clamp(0.0, 1.0);
        match self.anneal_strategy {
            AnnealStrategy::Cos => (1.0 - (PI * time).cos()) / 2.0,
            AnnealStrategy::Linear => time,
        }
    }
}

impl From<SwaLr> for super::Schedule {
    fn from(swa: SwaLr) -> Self {
        Self::SwaLr(swa)
    }
}

impl Rule for SwaLr {
    fn name(&self) -> &'static str {
        "SWALR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        self.swa_lr.require_finite(self.name(), "swa_lr")
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.swa_lr.check_groups(self.name(), "swa_lr", rates.groups())
    }

    /// Computes the rate at the start of the annealing from the current one.
    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        let swa_lr = *self.swa_lr.of(inputs.group);
        let step = if self.anneal_epochs == 0 { inputs.time().max(1.0) } else { inputs.time() };
        let (before, now) = (self.part(step - 1.0), self.part(step));
        let start = if before == 1.0 { swa_lr } else { (inputs.lr - before * swa_lr) / (1.0 - before) };
        swa_lr * now + start * (1.0 - now)
    }
}
