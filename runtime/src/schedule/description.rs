use serde::{Deserialize, Serialize};

use super::leaf::Leaf;
use super::node::{Bound, Node, refused};
use super::rule::Rule;
use super::{
    ChainedScheduler, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, ExponentialLr, LambdaLr,
    LinearLr, MultiStepLr, MultiplicativeLr, OneCycleLr, PolynomialLr, ReduceLrOnPlateau, ScheduleError, SequentialLr,
    StepLr, SwaLr,
};

/// How a learning rate changes over training, with its hyperparameters, not yet bound to an optimizer.
///
/// Made from any of the schedules' own types with `into()`. Serialized, it is the schedule's name with its
/// hyperparameters, as in `{"StepLr": {"step_size": 30, "gamma": 0.1}}`; those left out when it is read have their
/// defaults. Functions can't be serialized: with a [`LambdaLr`], a [`MultiplicativeLr`] or a [`CyclicLr::scale_fn`]
/// anywhere in it, serialization is an error, and there is no way to write one down to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Schedule {
    /// A step down at regular intervals.
    StepLr(StepLr),
    /// A step down at given steps.
    MultiStepLr(MultiStepLr),
    /// Less than the full rate for some steps.
    ConstantLr(ConstantLr),
    /// A straight line from one factor to another.
    LinearLr(LinearLr),
    /// The same factor at every step.
    ExponentialLr(ExponentialLr),
    /// Down to 0 along a polynomial.
    PolynomialLr(PolynomialLr),
    /// Down along a cosine.
    CosineAnnealingLr(CosineAnnealingLr),
    /// Down along a cosine, again and again.
    CosineAnnealingWarmRestarts(CosineAnnealingWarmRestarts),
    /// Up and down between two bounds.
    CyclicLr(CyclicLr),
    /// Up and down once, over the whole of training.
    OneCycleLr(OneCycleLr),
    /// From where it is to the rate of stochastic weight averaging.
    SwaLr(SwaLr),
    /// The initial rate times a function of the step.
    #[serde(skip)]
    LambdaLr(LambdaLr),
    /// At every step a function of the step as factor.
    #[serde(skip)]
    MultiplicativeLr(MultiplicativeLr),
    /// One schedule after the other.
    SequentialLr(SequentialLr),
    /// Several schedules at once.
    ChainedScheduler(ChainedScheduler),
    /// Down when a metric has stopped improving.
    ReduceLrOnPlateau(ReduceLrOnPlateau),
}

impl Schedule {
    /// The schedule's name in PyTorch, such as `StepLR`.
    pub fn name(&self) -> &'static str {
        self.description().name()
    }

    /// Whether its steps take a metric, as those of [`ReduceLrOnPlateau`] alone do.
    pub fn needs_metric(&self) -> bool {
        matches!(self, Self::ReduceLrOnPlateau(_))
    }

    /// Checks the hyperparameters, and those of all schedules that it is made of, by PyTorch's rules. Numbers that
    /// would make PyTorch divide by zero later on are refused as well, and those that are not finite.
    ///
    /// # Errors
    /// The first that is wrong. What is given for each parameter group is checked when a
    /// [`LrScheduler`](super::LrScheduler) is made.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        self.bind().map(drop)
    }

    pub(super) fn bind(&self) -> Result<Bound, ScheduleError> {
        self.description().bind()
    }

    /// Binds it as one of those that `composition` is made of, if it can be.
    pub(super) fn bind_as_part(&self, composition: &'static str, index: usize) -> Result<Box<dyn Node>, ScheduleError> {
        match self.bind()? {
            Bound::Leaf(leaf) => Ok(Box::new(leaf)),
            Bound::Composition(node) => Ok(node),
            other => Err(refused(composition, index, self, &other)),
        }
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

/// A schedule as it is described, of any class.
pub(super) trait Description {
    /// The name in PyTorch.
    fn name(&self) -> &'static str;

    /// Checks the hyperparameters and makes the scheduler, which knows no groups yet.
    fn bind(&self) -> Result<Bound, ScheduleError>;
}

impl<R: Rule + Clone + 'static> Description for R {
    fn name(&self) -> &'static str {
        Rule::name(self)
    }

    fn bind(&self) -> Result<Bound, ScheduleError> {
        self.validate()?;
        Ok(Bound::Leaf(Leaf::new(Box::new(self.clone()))))
    }
}
