use super::groups::ParameterGroupRates;
use super::rule::{RateInputs, Rule};
use super::{LrLambda, PerGroup, ScheduleError};

/// Multiplies the rate at every step by a function of the step:
/// [`torch.optim.lr_scheduler.MultiplicativeLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.MultiplicativeLR.html).
///
/// The function is first called at the first step. Functions cannot be serialized: serializing a
/// [`Schedule`](super::Schedule) that contains one is an error. The state of the scheduler can be saved.
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
    /// The function from the number of steps taken, 1 at the first, to the factor of the rate.
    pub lr_lambda: PerGroup<LrLambda>,
}

impl MultiplicativeLr {
    /// Creates a schedule with one function for all parameter groups.
    pub fn new(lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self { lr_lambda: PerGroup::All(LrLambda::new(lr_lambda)) }
    }

    /// Creates a schedule with a function for each parameter group.
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

    fn first(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.lr
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.lr * self.lr_lambda.of(inputs.group).factor(inputs.epoch)
    }
}
