use crate::optim::{IntoParameterGroups, ParameterGroups};
use crate::schedule::LrSchedulerConfig;

/// The value of `configure_optimizers`: one algorithm or several, each over all parameters or over groups of them, with or
/// without learning-rate schedulers. Each becomes an [`Optimizer`](crate::optim::Optimizer).
///
/// ```
/// use tch_lightning::prelude::*;
/// use tch_lightning::module::Optimizers;
///
/// let scheduled: Optimizers = AdamW::new(1e-3).lr_scheduler(CosineAnnealingLr::new(100)).into();
/// let one: Optimizers = AdamW::new(1e-3).into();
/// let two: Optimizers = (Adam::new(1e-3).over("encoder.**"), Sgd::new(0.1).over("decoder.**")).into();
/// let many: Optimizers = vec![Adam::new(1e-3), Adam::new(1e-4)].into();
/// assert_eq!([one.len(), two.len(), many.len()], [1, 2, 2]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Optimizers(Vec<ScheduledOptimizer>);

/// An optimizer to be, with the schedulers of its learning rates.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct ScheduledOptimizer {
    /// The algorithm over all parameters or groups of them.
    pub groups: ParameterGroups,
    /// The schedulers. One is usual; several are composed more clearly as a
    /// [`ChainedScheduler`](crate::schedule::ChainedScheduler).
    pub lr_schedulers: Vec<LrSchedulerConfig>,
}

/// Conversion into an optimizer with its schedulers: of an algorithm, of [`ParameterGroups`], or of either with
/// schedulers. Sealed.
pub trait IntoOptimizer: Sized + sealed::Sealed {
    /// The groups with their schedulers.
    fn into_optimizer(self) -> ScheduledOptimizer;

    /// Adds a learning-rate scheduler. It steps after each epoch, unless an
    /// [`LrSchedulerConfig`] sets another interval.
    ///
    /// ```
    /// use tch_lightning::prelude::*;
    /// use tch_lightning::schedule::{Interval, LrSchedulerConfig};
    ///
    /// let each_epoch = AdamW::new(1e-3).lr_scheduler(CosineAnnealingLr::new(100));
    /// let one_cycle = LrSchedulerConfig::from(OneCycleLr::new(0.1).total_steps(5_000)).interval(Interval::Step);
    /// let each_step = Sgd::new(0.1).momentum(0.9).lr_scheduler(one_cycle);
    /// # let _ = (each_epoch, each_step);
    /// ```
    fn lr_scheduler(self, config: impl Into<LrSchedulerConfig>) -> ScheduledOptimizer {
        let mut optimizer = self.into_optimizer();
        optimizer.lr_schedulers.push(config.into());
        optimizer
    }
}

impl ScheduledOptimizer {
    /// Sets the metric that the scheduler which was added last watches, as Lightning's `"monitor"` next to the optimizer: that of
    /// [`LrSchedulerConfig::monitor`].
    ///
    /// ```
    /// use tch_lightning::prelude::*;
    ///
    /// let optimizer = AdamW::new(1e-3).lr_scheduler(ReduceLrOnPlateau::default()).monitor("val_loss");
    /// assert_eq!(optimizer.lr_schedulers[0].monitor.as_deref(), Some("val_loss"));
    /// ```
    pub fn monitor(mut self, metric: impl Into<String>) -> Self {
        if let Some(scheduler) = self.lr_schedulers.last_mut() {
            scheduler.monitor = Some(metric.into());
        }
        self
    }
}

mod sealed {
    pub trait Sealed {}
}

impl<G: IntoParameterGroups> sealed::Sealed for G {}
impl sealed::Sealed for ScheduledOptimizer {}

impl<G: IntoParameterGroups> IntoOptimizer for G {
    fn into_optimizer(self) -> ScheduledOptimizer {
        ScheduledOptimizer { groups: self.into_parameter_groups(), lr_schedulers: Vec::new() }
    }
}

impl IntoOptimizer for ScheduledOptimizer {
    fn into_optimizer(self) -> ScheduledOptimizer {
        self
    }
}

impl Optimizers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none: a module that trains nothing, or updates its parameters by itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The optimizers, in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, ScheduledOptimizer> {
        self.0.iter()
    }
}

impl IntoIterator for Optimizers {
    type Item = ScheduledOptimizer;
    type IntoIter = std::vec::IntoIter<ScheduledOptimizer>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Optimizers {
    type Item = &'a ScheduledOptimizer;
    type IntoIter = std::slice::Iter<'a, ScheduledOptimizer>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<G: IntoOptimizer> FromIterator<G> for Optimizers {
    fn from_iter<I: IntoIterator<Item = G>>(optimizers: I) -> Self {
        Self(optimizers.into_iter().map(G::into_optimizer).collect())
    }
}

impl<G: IntoOptimizer> From<G> for Optimizers {
    fn from(optimizer: G) -> Self {
        Self(vec![optimizer.into_optimizer()])
    }
}

impl<G: IntoOptimizer> From<Vec<G>> for Optimizers {
    fn from(optimizers: Vec<G>) -> Self {
        optimizers.into_iter().collect()
    }
}

impl<A: IntoOptimizer, B: IntoOptimizer> From<(A, B)> for Optimizers {
    fn from((first, second): (A, B)) -> Self {
        Self(vec![first.into_optimizer(), second.into_optimizer()])
    }
}

impl<A: IntoOptimizer, B: IntoOptimizer, C: IntoOptimizer> From<(A, B, C)> for Optimizers {
    fn from((first, second, third): (A, B, C)) -> Self {
        [first.into_optimizer(), second.into_optimizer(), third.into_optimizer()].into_iter().collect()
    }
}
