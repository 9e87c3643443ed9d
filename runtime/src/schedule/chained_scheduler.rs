use serde::{Deserialize, Serialize};

use super::bound::Bound;
use super::description::Description;
use super::groups::{Groups, ParameterGroupRates};
use super::node::{Node, check_name_and_parts};
use super::state::SchedulerState;
use super::{Schedule, ScheduleError};

/// Several schedules at once, each of which changes the rate that the previous one has set:
/// [`torch.optim.lr_scheduler.ChainedScheduler`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.ChainedScheduler.html).
///
/// It is useful for schedules that multiply the rate. None of them may depend on a metric.
///
/// ```
/// use tch_lightning::schedule::{ChainedScheduler, ConstantLr, ExponentialLr};
///
/// let chained = ChainedScheduler::new([ConstantLr::default().into(), ExponentialLr::new(0.9).into()]);
/// assert_eq!(chained.schedulers.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct ChainedScheduler {
    /// The schedules, at least one.
    pub schedulers: Vec<Schedule>,
}

impl ChainedScheduler {
    /// Creates a chain of these schedules, in this order.
    pub fn new(schedulers: impl Into<Vec<Schedule>>) -> Self {
        Self { schedulers: schedulers.into() }
    }
}

impl From<ChainedScheduler> for Schedule {
    fn from(chained: ChainedScheduler) -> Self {
        Self::ChainedScheduler(chained)
    }
}

const NAME: &str = "ChainedScheduler";

impl Description for ChainedScheduler {
    fn name(&self) -> &'static str {
        NAME
    }

    fn bind(&self) -> Result<Bound, ScheduleError> {
        if self.schedulers.is_empty() {
            return Err(ScheduleError::Empty { schedule: NAME });
        }
        let parts = self.schedulers.iter().enumerate().map(|(index, schedule)| schedule.bind_as_part(NAME, index));
        Ok(Bound::Composition(Box::new(Chained { parts: parts.collect::<Result<_, _>>()? })))
    }
}

/// A [`ChainedScheduler`] bound to parameter groups.
#[derive(Debug)]
struct Chained {
    parts: Vec<Box<dyn Node>>,
}

impl Node for Chained {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.parts.iter().try_for_each(|part| part.check_groups(rates))
    }

    fn check_step(&self) -> Result<(), ScheduleError> {
        self.parts.iter().try_for_each(|part| part.check_step())
    }

    fn construct(&mut self, groups: &mut Groups<'_>) {
        self.parts.iter_mut().for_each(|part| part.construct(groups));
    }

    fn add_groups(&mut self, groups: &mut Groups<'_>) {
        self.parts.iter_mut().for_each(|part| part.add_groups(groups));
    }

    fn initial_step(&mut self, groups: &mut Groups<'_>) {
        self.step(groups);
    }

    fn step(&mut self, groups: &mut Groups<'_>) {
        self.parts.iter_mut().for_each(|part| part.step(groups));
    }

    fn undo(&mut self) {
        self.parts.iter_mut().for_each(|part| part.undo());
    }

    fn state(&self) -> SchedulerState {
        let schedulers = self.parts.iter().map(|part| part.state()).collect();
        SchedulerState { schedulers, ..SchedulerState::of(NAME) }
    }

    fn load(&mut self, state: &SchedulerState, groups: usize) -> Result<(), String> {
        check_name_and_parts(state, NAME, self.parts.len())?;
        self.parts.iter_mut().zip(&state.schedulers).try_for_each(|(part, state)| part.load(state, groups))
    }
}
