use super::groups::ParameterGroupRates;
use super::rule::{RateInputs, Rule};
use super::{LrLambda, PerGroup, ScheduleError};

/// The initial rate times a function of the step:
/// [`torch.optim.lr_scheduler.LambdaLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.LambdaLR.html).
///
/// Each rate is computed from the initial one, not from the previous one: a rate set by hand lasts until the next step.
/// Functions cannot be serialized: serializing a [`Schedule`](super::Schedule) that contains one is an error. The state of
/// the scheduler can be saved.
///
/// ```
/// use tch_lightning::schedule::{LambdaLr, LrLambda};
///
/// let inverse_square_root = LambdaLr::new(|step| 1.0 / ((step + 1) as f64).sqrt());
/// let (constant, falling) = (LrLambda::new(|_| 1.0), LrLambda::new(|step| 0.9_f64.powf(step as f64)));
/// let only_the_second_group = LambdaLr::per_group([constant, falling]);
/// # let _ = (inverse_square_root, only_the_second_group);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct LambdaLr {
    /// The function from the number of steps taken, 0 at first, to the factor of the initial rate.
    pub lr_lambda: PerGroup<LrLambda>,
}

impl LambdaLr {
    /// Creates a schedule with one function for all parameter groups.
    pub fn new(lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self { lr_lambda: PerGroup::All(LrLambda::new(lr_lambda)) }
    }

    /// Creates a schedule with a function for each parameter group.
    pub fn per_group(lr_lambdas: impl Into<Vec<LrLambda>>) -> Self {
        Self { lr_lambda: PerGroup::Each(lr_lambdas.into()) }
    }
}

impl From<LambdaLr> for super::Schedule {
    fn from(lambda: LambdaLr) -> Self {
        Self::LambdaLr(lambda)
    }
}

impl Rule for LambdaLr {
    fn name(&self) -> &'static str {
        "LambdaLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        Ok(())
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.lr_lambda.check_groups(self.name(), "lr_lambda", rates.groups())
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        inputs.base_lr * self.lr_lambda.of(inputs.group).factor(inputs.epoch)
    }
}
