use std::fmt::Debug;

use super::ScheduleError;
use super::groups::{Memory, ParameterGroupRates};

/// A schedule whose rates depend only on the step, and not on other schedules or a metric.
pub(super) trait Rule: Debug + Send + Sync {
    /// The name in PyTorch.
    fn name(&self) -> &'static str;

    /// Checks everything that does not depend on the parameter groups.
    fn validate(&self) -> Result<(), ScheduleError>;

    /// Checks lists with a value for each group against the groups.
    fn check_groups(&self, _rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        Ok(())
    }

    /// Returns an error if there is no rate for this epoch.
    fn check_epoch(&self, _epoch: u64) -> Result<(), ScheduleError> {
        Ok(())
    }

    /// Stores the values that the schedule fixes for a group, before its initial rate is read.
    fn prepare(&self, _group: usize, _memory: &mut Memory) {}

    /// The base rate of a group, if it is not the group's initial rate.
    fn base_lr(&self, _group: usize) -> Option<f64> {
        None
    }

    /// The rate at the start of training, in epoch 0.
    fn first(&self, inputs: &RateInputs<'_>) -> f64 {
        self.next(inputs)
    }

    /// The rate after a step, which many rules compute from the current rate.
    fn next(&self, inputs: &RateInputs<'_>) -> f64;

    /// The rate when a `SequentialLr` starts this schedule, in its epoch 0: PyTorch's closed form, if it has one.
    fn start(&self, inputs: &RateInputs<'_>) -> f64 {
        self.next(inputs)
    }

    /// The momentum after a step; `None` leaves it unchanged.
    fn momentum(&self, _moment: &RateInputs<'_>) -> Option<f64> {
        None
    }
}

/// The inputs of a rule for one group in one epoch, which is PyTorch's word for the time between two steps of a scheduler.
pub(super) struct RateInputs<'a> {
    pub(super) epoch: u64,
    pub(super) group: usize,
    /// The current rate of the group.
    pub(super) lr: f64,
    pub(super) base_lr: f64,
    pub(super) memory: &'a Memory,
}

impl RateInputs<'_> {
    /// The epoch as a floating-point number.
    pub(super) fn time(&self) -> f64 {
        self.epoch as f64
    }
}
