/// What can be wrong with a schedule, a scheduler or the saved state of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A hyperparameter is outside its range.
    #[error("{schedule}: {name} must be {expected}, but it is {value}")]
    Hyperparameter {
        /// The schedule's name.
        schedule: &'static str,
        /// The hyperparameter, as its setter is called.
        name: &'static str,
        /// The value that was given.
        value: f64,
        /// The values that it may have.
        expected: &'static str,
    },

    /// A list with a value for each parameter group is of another length than there are groups.
    #[error(
        "{schedule}: the length of {name} is {given}, but the number of parameter groups is {groups}: give one value for \
         all groups, or a list with one for each"
    )]
    PerGroup {
        /// The schedule's name.
        schedule: &'static str,
        /// The hyperparameter, as its setter is called.
        name: &'static str,
        /// How many values were given.
        given: usize,
        /// How many parameter groups there are.
        groups: usize,
    },

    /// A [`OneCycleLr`](super::OneCycleLr) does not know how long its cycle is.
    #[error("OneCycleLR does not know its length: give it total_steps, or both epochs and steps_per_epoch")]
    UnknownLength,

    /// The momentum is to be cycled, and the optimizer has none.
    #[error(
        "{schedule} cycles the momentum, but parameter group {group} has neither a momentum nor a beta1: call \
         cycle_momentum(false), or choose another optimizer"
    )]
    NoMomentum {
        /// The schedule's name.
        schedule: &'static str,
        /// The first group without momentum, from 0.
        group: usize,
    },

    /// A composition has nothing to compose.
    #[error("{schedule} has no schedulers: give it at least one")]
    Empty {
        /// The composition's name.
        schedule: &'static str,
    },

    /// The milestones of a [`SequentialLr`](super::SequentialLr) do not stand between its schedulers.
    #[error(
        "SequentialLR: the number of milestones is {milestones} and that of schedulers {schedulers}, but there must be \
         one milestone between every two schedulers"
    )]
    Milestones {
        /// How many milestones were given.
        milestones: usize,
        /// How many schedulers were given.
        schedulers: usize,
    },

    /// The milestones of a [`SequentialLr`](super::SequentialLr) go back in time.
    #[error("SequentialLR: milestone {later} stands after {earlier}, but milestones must ascend")]
    UnorderedMilestones {
        /// A milestone.
        earlier: u64,
        /// The one after it, which is smaller.
        later: u64,
    },

    /// A schedule can't stand where it does in a composition.
    #[error("{schedule}: scheduler {index} is {part}, which {reason}")]
    Composition {
        /// The composition's name.
        schedule: &'static str,
        /// The place in the composition, from 0.
        index: usize,
        /// The name of what stands there.
        part: &'static str,
        /// Why it can't.
        reason: &'static str,
    },

    /// A [`OneCycleLr`](super::OneCycleLr) was stepped more often than its cycle is long.
    #[error(
        "OneCycleLR cannot take step {step}, as its total_steps is {total_steps}: give it as many steps as training has"
    )]
    Finished {
        /// The step that was to be taken.
        step: u64,
        /// The length of the cycle.
        total_steps: u64,
    },

    /// A scheduler that goes by a metric was stepped without one.
    #[error("{schedule} goes by a metric: call `step_with_metric`")]
    MetricMissing {
        /// The schedule's name.
        schedule: &'static str,
    },

    /// A scheduler that does not look at metrics was given one.
    #[error("{schedule} does not go by a metric: call `step`")]
    MetricUnexpected {
        /// The schedule's name.
        schedule: &'static str,
    },

    /// The optimizer has fewer parameter groups than it had.
    #[error(
        "{schedule}: the number of parameter groups is {groups}, but it was {known} before, and groups can't be taken \
         away"
    )]
    GroupsRemoved {
        /// The schedule's name.
        schedule: &'static str,
        /// How many groups there were.
        known: usize,
        /// How many there are.
        groups: usize,
    },

    /// A saved state is of another schedule; nothing of it was loaded.
    #[error("the saved state does not fit {schedule}: {reason}")]
    State {
        /// The schedule's name.
        schedule: &'static str,
        /// What differs.
        reason: String,
    },
}

/// Fails unless `holds`, with the value and what it must be.
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

/// Fails for a count of 0.
pub(super) fn require_positive(schedule: &'static str, name: &'static str, count: u64) -> Result<(), ScheduleError> {
    require(count > 0, schedule, name, count as f64, "at least 1")
}

/// Fails for what is no number, and for the infinities.
pub(super) fn require_finite(schedule: &'static str, name: &'static str, value: f64) -> Result<(), ScheduleError> {
    require(value.is_finite(), schedule, name, value, "a finite number")
}
