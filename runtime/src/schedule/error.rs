/// An error of a schedule, a scheduler or its saved state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A hyperparameter is outside its range.
    #[error("{schedule}: {name} must be {expected}, but it is {value}")]
    Hyperparameter {
        /// The schedule's name.
        schedule: &'static str,
        /// The name of the hyperparameter's setter.
        name: &'static str,
        /// The invalid value.
        value: f64,
        /// A description of the valid values.
        expected: &'static str,
    },

    /// The length of a list with a value for each parameter group is not the number of groups.
    #[error(
        "{schedule}: {name} must be one value for all parameter groups, or a list with one for each, but it has {given} \
         values for {groups} groups"
    )]
    PerGroup {
        /// The schedule's name.
        schedule: &'static str,
        /// The name of the hyperparameter's setter.
        name: &'static str,
        /// The number of values.
        given: usize,
        /// The number of parameter groups.
        groups: usize,
    },

    /// The length of a [`OneCycleLr`](super::OneCycleLr) is not set.
    #[error(
        "OneCycleLr needs the number of steps of the run: add `.total_steps(ctx.estimated_stepping_batches()?)` in `configure_optimizers`, or \
         `.epochs(…)` and `.steps_per_epoch(…)`"
    )]
    UnknownLength,

    /// A schedule cycles the momentum of an optimizer without one.
    #[error(
        "{schedule} cycles the momentum, but parameter group {group} has neither a momentum nor a beta1; call \
         cycle_momentum(false), or choose another optimizer"
    )]
    NoMomentum {
        /// The schedule's name.
        schedule: &'static str,
        /// The first group without momentum, from 0.
        group: usize,
    },

    /// A composition has no schedulers.
    #[error("{schedule} must have at least one scheduler, but it has none")]
    Empty {
        /// The composition's name.
        schedule: &'static str,
    },

    /// A [`SequentialLr`](super::SequentialLr) does not have one milestone less than schedulers.
    #[error(
        "SequentialLR must have one milestone less than schedulers, but it has {milestones} milestones and {schedulers} \
         schedulers"
    )]
    Milestones {
        /// The number of milestones.
        milestones: usize,
        /// The number of schedulers.
        schedulers: usize,
    },

    /// The milestones of a [`SequentialLr`](super::SequentialLr) are not in ascending order.
    #[error("SequentialLR: milestones must be in ascending order, but {later} follows {earlier}")]
    UnorderedMilestones {
        /// A milestone.
        earlier: u64,
        /// The one after it, which is smaller.
        later: u64,
    },

    /// A schedule cannot be at its position in a composition.
    #[error("{schedule}: scheduler {index} is {part}, which {reason}")]
    Composition {
        /// The composition's name.
        schedule: &'static str,
        /// The position in the composition, from 0.
        index: usize,
        /// The name of the schedule at this position.
        part: &'static str,
        /// The reason.
        reason: &'static str,
    },

    /// A [`OneCycleLr`](super::OneCycleLr) was stepped more than `total_steps` times.
    #[error(
        "OneCycleLR cannot take step {step}, as its total_steps is {total_steps}; set total_steps to the number of steps of \
         the training"
    )]
    Finished {
        /// The number of the step.
        step: u64,
        /// The length of the cycle.
        total_steps: u64,
    },

    /// A scheduler that requires a metric was stepped without one.
    #[error("{schedule} requires a metric; call `step_with_metric`")]
    MetricMissing {
        /// The schedule's name.
        schedule: &'static str,
    },

    /// A scheduler that does not use a metric was stepped with one.
    #[error("{schedule} does not use a metric; call `step`")]
    MetricUnexpected {
        /// The schedule's name.
        schedule: &'static str,
    },

    /// Parameter groups were removed from the optimizer.
    #[error(
        "{schedule}: the number of parameter groups is {groups}, but it was {known} before, and groups cannot be \
         removed"
    )]
    GroupsRemoved {
        /// The schedule's name.
        schedule: &'static str,
        /// The number of groups before.
        known: usize,
        /// The number of groups now.
        groups: usize,
    },

    /// A saved state belongs to another schedule. No part of it was loaded.
    #[error("the saved state does not fit {schedule}: {reason}")]
    State {
        /// The schedule's name.
        schedule: &'static str,
        /// The difference.
        reason: String,
    },
}

/// Returns an error with the value and the expected values unless `holds`.
pub(super) fn require(
    holds: bool,
    schedule: &'static str,
    name: &'static str,
    value: f64,
    expected: &'static str,
) -> Result<(), ScheduleError> {
    if holds {
        return Ok(());
    }
    Err(ScheduleError::Hyperparameter { schedule, name, value, expected })
}

/// Returns an error for a count of 0.
pub(super) fn require_positive(schedule: &'static str, name: &'static str, count: u64) -> Result<(), ScheduleError> {
    require(count > 0, schedule, name, count as f64, "at least 1")
}

/// Returns an error for NaN and infinities.
pub(super) fn require_finite(schedule: &'static str, name: &'static str, value: f64) -> Result<(), ScheduleError> {
    require(value.is_finite(), schedule, name, value, "a finite number")
}
