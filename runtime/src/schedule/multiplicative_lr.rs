use super::groups::ParameterGroupRates;
use super::rule::{Moment, Rule};
use super::{LrLambda, PerGroup, ScheduleError};

/// Multiplies the rate at every step by a function of the step, as
/// [`torch.optim.lr_scheduler.MultiplicativeLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.MultiplicativeLR.html).
///
/// The function is not asked before the first step. Functions can't be written to a file: a
/// [`Schedule`](super::Schedule) of this kind, or one that it is part of, is refused by serde. The scheduler's state
/// can be saved all the same.
///
/// ```
/// use tch_lightning::schedule::MultiplicativeLr;
///
/// let slower_and_slower = MultiplicativeLr::new(|step| 1.0 - 1.0 / (step + 1) as f64);
/// # let _ = slower_and_slower;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct MultiplicativeLr {
    /// From the number of steps taken, 1 at the first, to what the rate is multiplied by.
    pub lr_lambda: PerGroup<LrLambda>,
}

impl MultiplicativeLr {
    /// One function for all parameter groups.
    pub fn new(lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self { lr_lambda: PerGroup::All(LrLambda::new(lr_lambda)) }
    }

    /// A function for each parameter group.
    pub fn per_group(lr_lambdas: impl Into<Vec<LrLambda>>) -> Self {
        Self { lr_lambda: PerGroup::Each(lr_lambdas.into()) }
    }
}

impl From<MultiplicativeLr> for super::Schedule {
    fn from(multiplicative: MultiplicativeLr) -> Self {
        Self::MultiplicativeLr(multiplicative)
    }
}

impl Rule for MultiplicativeLr {
    fn name(&self) -> &'static str {
        "MultiplicativeLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        Ok(())
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.lr_lambda.check_groups(self.name(), "lr_lambda", rates.groups())
    }

    fn first(&self, moment: &Moment<'_>) -> f64 {
        moment.lr
    }

    fn next(&self, moment: &Moment<'_>) -> f64 {
        moment.lr * self.lr_lambda.of(moment.group).factor(moment.epoch)
    }
}
