use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::groups::ParameterGroupRates;
use super::rule::{Moment, Rule};
use super::{AnnealStrategy, PerGroup, ScheduleError};

/// Leads the rate from where it is to `swa_lr`, and leaves it there, as
/// [`torch.optim.swa_utils.SWALR`](https://docs.pytorch.org/docs/2.13/optim.html#swa-learning-rate-schedules).
///
/// ```text
/// ████▇▇▆▅▅▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄
/// ```
///
/// It is the schedule of [`StochasticWeightAveraging`](crate::StochasticWeightAveraging), stepped after every epoch.
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
    /// How many steps the way there takes; with 0 it is there at once. Default 10.
    #[serde(default = "default_anneal_epochs")]
    pub anneal_epochs: u64,
    /// The curve of the way. Default [`AnnealStrategy::Cos`].
    #[serde(default)]
    pub anneal_strategy: AnnealStrategy,
}

fn default_anneal_epochs() -> u64 {
    10
}

impl SwaLr {
    /// Down, or up, to this rate in 10 steps.
    pub fn new(swa_lr: impl Into<PerGroup<f64>>) -> Self {
        Self {
            swa_lr: swa_lr.into(),
            anneal_epochs: default_anneal_epochs(),
            anneal_strategy: AnnealStrategy::default(),
        }
    }

    /// Sets how many steps the way takes.
    pub fn anneal_epochs(self, anneal_epochs: u64) -> Self {
        Self { anneal_epochs, ..self }
    }

    /// Chooses the curve of the way.
    pub fn anneal_strategy(self, anneal_strategy: AnnealStrategy) -> Self {
        Self { anneal_strategy, ..self }
    }

    /// How much of the way is behind after so many steps, 0 to 1.
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

    /// The rate from which the way began is found from the one that the group has now.
    fn next(&self, moment: &Moment<'_>) -> f64 {
        let swa_lr = *self.swa_lr.of(moment.group);
        let step = if self.anneal_epochs == 0 { moment.time().max(1.0) } else { moment.time() };
        let (before, now) = (self.part(step - 1.0), self.part(step));
        let start = if before == 1.0 { swa_lr } else { (moment.lr - before * swa_lr) / (1.0 - before) };
        swa_lr * now + start * (1.0 - now)
    }
}
