use serde::{Deserialize, Serialize};

use super::ScheduleError;
use crate::optim::Optimizer;

/// The learning rates and momenta of an optimizer's parameter groups: a scheduler's view of an optimizer.
///
/// Groups are counted from 0. [`Optimizer`] implements it, and so can a plain list of rates:
///
/// ```
/// use tch_lightning::schedule::{ExponentialLr, LrScheduler, ParameterGroupRates};
///
/// struct Rates(Vec<f64>);
///
/// impl ParameterGroupRates for Rates {
///     fn groups(&self) -> usize {
///         self.0.len()
///     }
///     fn lr(&self, group: usize) -> f64 {
///         self.0[group]
///     }
///     fn set_lr(&mut self, group: usize, lr: f64) {
///         self.0[group] = lr;
///     }
///     fn momentum(&self, _group: usize) -> Option<f64> {
///         None
///     }
///     fn set_momentum(&mut self, _group: usize, _momentum: f64) {}
/// }
///
/// let mut rates = Rates(vec![0.1, 1.0]);
/// let mut scheduler = LrScheduler::new(ExponentialLr::new(0.5), &mut rates)?;
/// scheduler.step(&mut rates)?;
/// assert_eq!(rates.0, [0.05, 0.5]);
/// # Ok::<(), tch_lightning::schedule::ScheduleError>(())
/// ```
pub trait ParameterGroupRates {
    /// The number of groups. Groups may be appended between two steps of a scheduler.
    fn groups(&self) -> usize;

    /// The current learning rate of a group.
    fn lr(&self, group: usize) -> f64;

    /// Sets the learning rate of a group.
    fn set_lr(&mut self, group: usize, lr: f64);

    /// The momentum that [`CyclicLr`](super::CyclicLr) and [`OneCycleLr`](super::OneCycleLr) cycle: SGD's `momentum` or the
    /// first of Adam's `betas`; `None` if the algorithm has neither.
    fn momentum(&self, group: usize) -> Option<f64>;

    /// Sets the [`momentum`](Self::momentum) of a group. It is called only if that is not `None`.
    fn set_momentum(&mut self, group: usize, momentum: f64);
}

impl ParameterGroupRates for Optimizer {
    fn groups(&self) -> usize {
        Optimizer::groups(self).len()
    }

    fn lr(&self, group: usize) -> f64 {
        Optimizer::groups(self)[group].lr()
    }

    fn set_lr(&mut self, group: usize, lr: f64) {
        self.groups_mut()[group].set_lr(lr);
    }

    fn momentum(&self, group: usize) -> Option<f64> {
        Optimizer::groups(self)[group].momentum()
    }

    fn set_momentum(&mut self, group: usize, momentum: f64) {
        // fails only for algorithms without a momentum, for which it is not called
        let _ = self.groups_mut()[group].set_momentum(momentum);
    }
}

/// The values that schedulers store for a parameter group, which PyTorch stores in the group itself.
///
/// All schedulers of a composition share it: with several [`OneCycleLr`](super::OneCycleLr), the bounds of the last one
/// apply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    /// The initial rate of the group; `None` until the first scheduler has read it.
    pub(super) initial_lr: Option<f64>,
    pub(super) max_lr: f64,
    pub(super) min_lr: f64,
    pub(super) base_momentum: f64,
    pub(super) max_momentum: f64,
}

/// The parameter groups that a scheduler changes: the optimizer's rates, and the memory of each group.
pub(super) struct Groups<'a> {
    pub(super) rates: &'a mut dyn ParameterGroupRates,
    /// One element per group.
    pub(super) memory: &'a mut [Memory],
}

impl Groups<'_> {
    /// Sets every group to its initial rate.
    pub(super) fn reset_rates(&mut self) {
        for (group, memory) in self.memory.iter().enumerate() {
            if let Some(initial_lr) = memory.initial_lr {
                self.rates.set_lr(group, initial_lr);
            }
        }
    }
}

/// Returns an error unless every group has a momentum.
pub(super) fn require_momentum(schedule: &'static str, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
    match (0..rates.groups()).find(|group| rates.momentum(*group).is_none()) {
        Some(group) => Err(ScheduleError::NoMomentum { schedule, group }),
        None => Ok(()),
    }
}
