use super::groups::ParameterGroupRates;
use super::rule::{Moment, Rule};
use super::{LrLambda, PerGroup, ScheduleError};

/// The initial rate times a function of the step, as
/// [`torch.optim.lr_scheduler.LambdaLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.LambdaLR.html).
///
/// Each rate is computed from the initial one, not from the rate before: a rate that was set by hand lasts until the
/// next step. Functions can't be written to a file: a [`Schedule`](super::Schedule) of this kind, or one that it is
/// part of, is refused by serde. The scheduler's state can be saved all the same.
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
    /// From the number of steps taken, 0 at first, to what the initial rate is multiplied by.
    pub lr_lambda: PerGroup<LrLambda>,
}

impl LambdaLr {
    /// One function for all parameter groups.
    pub fn new(lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self { lr_lambda: PerGroup::All(LrLambda::new(lr_lambda)) }
    }

    /// A function for each parameter group.
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

    fn next(&self, moment: &Moment<'_>) -> f64 {
        moment.base_lr * self.lr_lambda.of(moment.group).factor(moment.epoch)
    }
}
