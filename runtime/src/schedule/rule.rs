use std::fmt::Debug;

use super::ScheduleError;
use super::groups::{Memory, ParameterGroupRates};

/// A schedule that stands for itself: one whose rates are a function of the step, and not of other schedules or a
/// metric.
pub(super) trait Rule: Debug + Send + Sync {
    /// The name in PyTorch.
    fn name(&self) -> &'static str;

    /// Checks all that can be checked before there are parameter groups.
    fn validate(&self) -> Result<(), ScheduleError>;

    /// Checks what is given for each group against the groups.
    fn check_groups(&self, _rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        Ok(())
    }

    /// Fails if there is no rate for this epoch.
    fn check_epoch(&self, _epoch: u64) -> Result<(), ScheduleError> {
        Ok(())
    }

    /// Writes down what the schedule fixes for a group, before its initial rate is read.
    fn prepare(&self, _group: usize, _memory: &mut Memory) {}

    /// The base rate of a group, where it is not the group's initial rate.
    fn base_lr(&self, _group: usize) -> Option<f64> {
        None
    }

    /// The rate at the start of training, in epoch 0.
    fn first(&self, moment: &Moment<'_>) -> f64 {
        self.next(moment)
    }

    /// The rate after a step, which many rules make from the one that the group has now.
    fn next(&self, moment: &Moment<'_>) -> f64;

    /// The rate where a `SequentialLr` comes to this schedule, in its epoch 0: PyTorch's closed form, if it has one.
    fn start(&self, moment: &Moment<'_>) -> f64 {
        self.next(moment)
    }

    /// The momentum that goes with the rate; `None` leaves it alone.
    fn momentum(&self, _moment: &Moment<'_>) -> Option<f64> {
        None
    }
}

/// One group in one epoch, which is PyTorch's word for the time between two steps of a scheduler.
pub(super) struct Moment<'a> {
    pub(super) epoch: u64,
    pub(super) group: usize,
    /// The group's rate as it is now.
    pub(super) lr: f64,
    pub(super) base_lr: f64,
    pub(super) memory: &'a Memory,
}

impl Moment<'_> {
    /// The epoch as a number to calculate with.
    pub(super) fn time(&self) -> f64 {
        self.epoch as f64
    }
}
