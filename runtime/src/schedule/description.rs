use serde::{Deserialize, Serialize};

use super::bound::Bound;
use super::bound_rule::BoundRule;
use super::node::Node;
use super::reduce_lr_on_plateau::{NAME, Plateau};
use super::rule::Rule;
use super::{
    ChainedScheduler, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, ExponentialLr, LambdaLr,
    LinearLr, MultiStepLr, MultiplicativeLr, OneCycleLr, PolynomialLr, ReduceLrOnPlateau, ScheduleError, SequentialLr,
    StepLr, SwaLr,
};
use crate::choice::Choice;

/// A learning-rate schedule with its hyperparameters, not yet bound to an optimizer.
///
/// `into()` converts each schedule's type to it. The serialized form is a table with the schedule's name and its hyperparameters, as in
/// `{"name": "step", "step_size": 30, "gamma": 0.1}`; missing hyperparameters have their defaults, and PyTorch's names, such as
/// `StepLR`, are read too. Functions cannot be serialized: a schedule that contains a [`LambdaLr`], a [`MultiplicativeLr`] or a
/// [`CyclicLr::scale_fn`] cannot be serialized or deserialized.
#[derive(Debug, Clone, PartialEq, Choice, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// Multiplied by a factor at regular intervals.
    #[serde(rename = "step", alias = "StepLR")]
    StepLr(StepLr),
    /// Multiplied by a factor at given steps.
    #[serde(rename = "multi_step", alias = "MultiStepLR")]
    MultiStepLr(MultiStepLr),
    /// Reduced for the first steps.
    #[serde(rename = "constant", alias = "ConstantLR")]
    ConstantLr(ConstantLr),
    /// Linear from one factor to another.
    #[serde(rename = "linear", alias = "LinearLR")]
    LinearLr(LinearLr),
    /// Multiplied by a factor at every step.
    #[serde(rename = "exponential", alias = "ExponentialLR")]
    ExponentialLr(ExponentialLr),
    /// Decay to 0 along a polynomial.
    #[serde(rename = "polynomial", alias = "PolynomialLR")]
    PolynomialLr(PolynomialLr),
    /// Decay along a cosine.
    #[serde(rename = "cosine_annealing", alias = "CosineAnnealingLR")]
    CosineAnnealingLr(CosineAnnealingLr),
    /// Decay along a cosine, with restarts.
    #[serde(alias = "CosineAnnealingWarmRestarts")]
    CosineAnnealingWarmRestarts(CosineAnnealingWarmRestarts),
    /// Cycles between two bounds.
    #[serde(rename = "cyclic", alias = "CyclicLR")]
    CyclicLr(CyclicLr),
    /// One cycle over the complete training.
    #[serde(rename = "one_cycle", alias = "OneCycleLR")]
    OneCycleLr(OneCycleLr),
    /// Annealing to the rate of stochastic weight averaging.
    #[serde(rename = "swa", alias = "SWALR")]
    SwaLr(SwaLr),
    /// The initial rate times a function of the step.
    #[serde(skip)]
    LambdaLr(LambdaLr),
    /// Multiplied by a function of the step at every step.
    #[serde(skip)]
    MultiplicativeLr(MultiplicativeLr),
    /// One schedule after another.
    #[serde(rename = "sequential", alias = "SequentialLR")]
    SequentialLr(SequentialLr),
    /// Several schedules at once.
    #[serde(rename = "chained", alias = "ChainedScheduler")]
    ChainedScheduler(ChainedScheduler),
    /// Reduced when a metric has stopped improving.
    #[serde(alias = "ReduceLROnPlateau")]
    ReduceLrOnPlateau(ReduceLrOnPlateau),
}

impl Schedule {
    /// The schedule's name in PyTorch, such as `StepLR`.
    pub fn name(&self) -> &'static str {
        self.description().name()
    }

    /// Whether its steps require a metric, which is the case only for [`ReduceLrOnPlateau`].
    pub fn needs_metric(&self) -> bool {
        matches!(self, Self::ReduceLrOnPlateau(_))
    }

    /// Checks the hyperparameters, including those of all parts of a composition, by PyTorch's rules. Numbers by which
    /// PyTorch would later divide by zero, and numbers that are not finite, are rejected as well.
    ///
    /// # Errors
    /// The error of the first invalid hyperparameter. Lists with a value for each parameter group are checked when a
    /// [`LrScheduler`](super::LrScheduler) is created.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        self.bind().map(drop)
    }

    pub(super) fn bind(&self) -> Result<Bound, ScheduleError> {
        self.description().bind()
    }

    /// Binds the schedule as part `index` of `composition`, if it can be one.
    pub(super) fn bind_as_part(&self, composition: &'static str, index: usize) -> Result<Box<dyn Node>, ScheduleError> {
        match self.bind()? {
            Bound::Rule(rule) => Ok(Box::new(rule)),
            Bound::Composition(node) => Ok(node),
            other => Err(self.cannot_be_part(composition, index, &other)),
        }
    }

    /// Returns the error of a composition in which this schedule cannot be at this position.
    pub(super) fn cannot_be_part(&self, composition: &'static str, index: usize, bound: &Bound) -> ScheduleError {
        let reason = match bound {
            Bound::OnMetric(_) => "requires a metric and cannot be part of another",
            _ => "is a composition and can only be first",
        };
        ScheduleError::Composition { schedule: composition, index, part: self.name(), reason }
    }

    fn description(&self) -> &dyn Description {
        match self {
            Self::StepLr(schedule) => schedule,
            Self::MultiStepLr(schedule) => schedule,
            Self::ConstantLr(schedule) => schedule,
            Self::LinearLr(schedule) => schedule,
            Self::ExponentialLr(schedule) => schedule,
            Self::PolynomialLr(schedule) => schedule,
            Self::CosineAnnealingLr(schedule) => schedule,
            Self::CosineAnnealingWarmRestarts(schedule) => schedule,
            Self::CyclicLr(schedule) => schedule,
            Self::OneCycleLr(schedule) => schedule,
            Self::SwaLr(schedule) => schedule,
            Self::LambdaLr(schedule) => schedule,
            Self::MultiplicativeLr(schedule) => schedule,
            Self::SequentialLr(schedule) => schedule,
            Self::ChainedScheduler(schedule) => schedule,
            Self::ReduceLrOnPlateau(schedule) => schedule,
        }
    }
}

/// A schedule of any kind that is not bound to parameter groups.
pub(super) trait Description {
    /// The name in PyTorch.
    fn name(&self) -> &'static str;

    /// Checks the hyperparameters and creates the scheduler, without any groups yet.
    fn bind(&self) -> Result<Bound, ScheduleError>;
}

impl<R: Rule + Clone + 'static> Description for R {
    fn name(&self) -> &'static str {
        Rule::name(self)
    }

    fn bind(&self) -> Result<Bound, ScheduleError> {
        self.validate()?;
        Ok(Bound::Rule(BoundRule::new(Box::new(self.clone()))))
    }
}

impl Description for ReduceLrOnPlateau {
    fn name(&self) -> &'static str {
        NAME
    }

    fn bind(&self) -> Result<Bound, ScheduleError> {
        self.validate()?;
        Ok(Bound::OnMetric(Plateau::new(self.clone())))
    }
}
