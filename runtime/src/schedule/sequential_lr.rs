use std::iter::once;

use serde::{Deserialize, Serialize};

use super::bound::Bound;
use super::bound_rule::BoundRule;
use super::description::Description;
use super::groups::{Groups, ParameterGroupRates};
use super::node::{Node, check_name_and_parts};
use super::state::SchedulerState;
use super::{LinearLr, Schedule, ScheduleError};

/// One schedule after another:
/// [`torch.optim.lr_scheduler.SequentialLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.SequentialLR.html).
///
/// The first schedule starts from the initial rates. At each milestone the next one starts, again from the initial rates and
/// not from the current ones, except [`MultiplicativeLr`](super::MultiplicativeLr), which continues from the current rates.
///
/// Only the first may be a composition, which PyTorch cannot start at a milestone, and none may depend on a metric. All are
/// bound before the first step, in their order: one that sets its own initial rate, such as
/// [`OneCycleLr`](super::OneCycleLr), sets it for those after it and for the start.
///
/// ```
/// use tch_lightning::schedule::{ConstantLr, ExponentialLr, SequentialLr};
///
/// let constant = ConstantLr::default().factor(0.1).total_iters(20);
/// let sequential = SequentialLr::new([constant.into(), ExponentialLr::new(0.9).into()], [20]);
/// assert_eq!(sequential.schedulers.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct SequentialLr {
    /// The schedules, at least one.
    pub schedulers: Vec<Schedule>,
    /// The steps at which all but the first start, in ascending order.
    pub milestones: Vec<u64>,
}

impl SequentialLr {
    /// Creates a sequence of schedules, of which all but the first start at these steps.
    pub fn new(schedulers: impl Into<Vec<Schedule>>, milestones: impl Into<Vec<u64>>) -> Self {
        Self { schedulers: schedulers.into(), milestones: milestones.into() }
    }

    /// Creates a linear warm-up followed by `schedule`: a sequence of the two with the warm-up's `total_iters` as milestone.
    ///
    /// ```text
    /// ▂▃▄▅▆▇█████▇▇▇▆▆▆▅▅▄▄▃▃▃▂▂▂▁▁▁▁▁
    /// ```
    ///
    /// ```
    /// use tch_lightning::schedule::{CosineAnnealingLr, LinearLr, SequentialLr};
    ///
    /// let warm_up = LinearLr::default().start_factor(0.01).total_iters(500);
    /// let schedule = SequentialLr::warm_up(warm_up, CosineAnnealingLr::new(9_500));
    /// assert_eq!(schedule.milestones, [500]);
    /// ```
    pub fn warm_up(warm_up: LinearLr, schedule: impl Into<Schedule>) -> Self {
        Self::new([warm_up.into(), schedule.into()], [warm_up.total_iters])
    }
}

impl From<SequentialLr> for Schedule {
    fn from(sequential: SequentialLr) -> Self {
        Self::SequentialLr(sequential)
    }
}

const NAME: &str = "SequentialLR";

impl Description for SequentialLr {
    fn name(&self) -> &'static str {
        NAME
    }

    fn bind(&self) -> Result<Bound, ScheduleError> {
        let (first, later) = self.schedulers.split_first().ok_or(ScheduleError::Empty { schedule: NAME })?;
        if self.milestones.len() != later.len() {
            let (milestones, schedulers) = (self.milestones.len(), self.schedulers.len());
            return Err(ScheduleError::Milestones { milestones, schedulers });
        }
        if let Some(pair) = self.milestones.windows(2).find(|pair| pair[0] > pair[1]) {
            return Err(ScheduleError::UnorderedMilestones { earlier: pair[0], later: pair[1] });
        }
        let first = first.bind_as_part(NAME, 0)?;
        let later = later.iter().enumerate().map(|(index, schedule)| match schedule.bind()? {
            Bound::Rule(rule) => Ok(rule),
            other => Err(schedule.cannot_be_part(NAME, index + 1, &other)),
        });
        let later = later.collect::<Result<_, _>>()?;
        let milestones = self.milestones.clone();
        Ok(Bound::Composition(Box::new(Sequential { first, later, milestones, last_epoch: 0 })))
    }
}

/// A [`SequentialLr`] bound to parameter groups.
#[derive(Debug)]
struct Sequential {
    first: Box<dyn Node>,
    /// One element per milestone.
    later: Vec<BoundRule>,
    milestones: Vec<u64>,
    last_epoch: u64,
}

impl Sequential {
    /// The part that is active at an epoch: its position among the later ones, or `None` for the first.
    fn active(&self, epoch: u64) -> Option<usize> {
        self.milestones.partition_point(|milestone| *milestone <= epoch).checked_sub(1)
    }

    fn next_epoch(&self) -> u64 {
        self.last_epoch.saturating_add(1)
    }

    fn parts(&self) -> impl Iterator<Item = &(dyn Node + 'static)> {
        once(&*self.first).chain(self.later.iter().map(|rule| rule as &(dyn Node + 'static)))
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut (dyn Node + 'static)> {
        once(&mut *self.first).chain(self.later.iter_mut().map(|rule| rule as &mut (dyn Node + 'static)))
    }
}

impl Node for Sequential {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.parts().try_for_each(|part| part.check_groups(rates))
    }

    fn check_step(&self) -> Result<(), ScheduleError> {
        let epoch = self.next_epoch();
        match self.active(epoch) {
            None => self.first.check_step(),
            Some(later) if self.milestones[later] == epoch => Ok(()),
            Some(later) => self.later[later].check_step(),
        }
    }

    fn construct(&mut self, groups: &mut Groups<'_>) {
        self.parts_mut().for_each(|part| part.construct(groups));
        // each part has taken its first step, which only the first may
        groups.reset_rates();
        self.undo();
        match self.active(0) {
            None => self.first.initial_step(groups),
            Some(later) => self.later[later].initial_step(groups),
        }
    }

    fn add_groups(&mut self, groups: &mut Groups<'_>) {
        self.parts_mut().for_each(|part| part.add_groups(groups));
    }

    fn initial_step(&mut self, groups: &mut Groups<'_>) {
        self.step(groups);
    }

    fn step(&mut self, groups: &mut Groups<'_>) {
        let epoch = self.next_epoch();
        self.last_epoch = epoch;
        match self.active(epoch) {
            None => self.first.step(groups),
            Some(later) if self.milestones[later] == epoch => self.later[later].start(groups),
            Some(later) => self.later[later].step(groups),
        }
    }

    fn undo(&mut self) {
        self.parts_mut().for_each(|part| part.undo());
    }

    fn state(&self) -> SchedulerState {
        let schedulers = self.parts().map(|part| part.state()).collect();
        SchedulerState { last_epoch: Some(self.last_epoch), schedulers, ..SchedulerState::of(NAME) }
    }

    fn load(&mut self, state: &SchedulerState, groups: usize) -> Result<(), String> {
        check_name_and_parts(state, NAME, 1 + self.later.len())?;
        self.last_epoch = state.last_epoch.ok_or("SequentialLR has no last_epoch")?;
        self.parts_mut().zip(&state.schedulers).try_for_each(|(part, state)| part.load(state, groups))
    }
}
