use serde::{Deserialize, Serialize};

use super::ScheduleError;
use crate::optim::Optimizer;

/// The rates of an optimizer's parameter groups, which are what a scheduler sees of an optimizer.
///
/// Groups are counted from 0. [`Optimizer`] has them; a plain list of rates can, too:
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
    /// How many groups there are. Groups may be added between two steps of a scheduler, at the end.
    fn groups(&self) -> usize;

    /// A group's learning rate as it is now.
    fn lr(&self, group: usize) -> f64;

    /// Sets a group's learning rate.
    fn set_lr(&mut self, group: usize, lr: f64);

    /// What [`CyclicLr`](super::CyclicLr) and [`OneCycleLr`](super::OneCycleLr) cycle against the learning rate: SGD's
    /// `momentum`, the first of Adam's `betas`; `None` where the algorithm has neither.
    fn momentum(&self, group: usize) -> Option<f64>;

    /// Sets what [`momentum`](Self::momentum) gives. Called only where that is not `None`.
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
        // it fails where there is none, and is not called there
        let _ = self.groups_mut()[group].set_momentum(momentum);
    }
}

/// What schedulers remember of a parameter group, where PyTorch writes it into the group itself.
///
/// All schedulers of one composition share it: of several [`OneCycleLr`](super::OneCycleLr) the last one's bounds hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    /// The rate that the group had at first; `None` until the first scheduler has looked at it.
    pub(super) initial_lr: Option<f64>,
    pub(super) max_lr: f64,
    pub(super) min_lr: f64,
    pub(super) base_momentum: f64,
    pub(super) max_momentum: f64,
}

/// The parameter groups as a scheduler works on them: the optimizer's rates, and what is remembered of each.
pub(super) struct Groups<'a> {
    pub(super) rates: &'a mut dyn ParameterGroupRates,
    /// One for each group.
    pub(super) memory: &'a mut [Memory],
}

impl Groups<'_> {
    /// Sets every group to the rate that it had at first.
    pub(super) fn reset_rates(&mut self) {
        for (group, memory) in self.memory.iter().enumerate() {
            if let Some(initial_lr) = memory.initial_lr {
                self.rates.set_lr(group, initial_lr);
            }
        }
    }
}

/// Fails unless every group has a momentum.
pub(super) fn require_momentum(schedule: &'static str, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
    match (0..rates.groups()).find(|group| rates.momentum(*group).is_none()) {
        Some(group) => Err(ScheduleError::NoMomentum { schedule, group }),
        None => Ok(()),
    }
}
