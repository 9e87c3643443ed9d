use super::groups::{Groups, Memory, ParameterGroupRates};
use super::node::{Bound, Node};
use super::reduce_lr_on_plateau::Plateau;
use super::state::LrSchedulerState;
use super::{Schedule, ScheduleError};

/// A [`Schedule`] bound to an optimizer's parameter groups, whose rates it sets at every step.
///
/// It does not hold the optimizer: that is given to each step. A step comes after the optimizer's own, once in an epoch
/// or after every batch, as the schedule is meant.
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use tch_lightning::optim::{Optimizer, Sgd};
/// use tch_lightning::schedule::{LrScheduler, StepLr};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weight = Tensor::ones([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
/// let mut optimizer = Optimizer::new(Sgd::new(0.1), vec![("weight".to_owned(), weight)])?;
/// let mut scheduler = LrScheduler::new(StepLr::new(2).gamma(0.5), &mut optimizer)?;
///
/// let mut rates = Vec::new();
/// for _epoch in 0..5 {
///     rates.push(optimizer.lr());
///     optimizer.step()?;
///     scheduler.step(&mut optimizer)?;
/// }
/// assert_eq!(rates, [0.1, 0.1, 0.05, 0.05, 0.025]);
/// # Ok(())
/// # }
/// ```
///
/// Groups may be added to the optimizer later on, and are scheduled from the next step on: their initial rate is the
/// one that they have then, and the steps taken before count for them too. Schedules that multiply the rate go on with
/// it from there, and the others compute from it, or from their own bounds. A hyperparameter that is given for each
/// group makes such a step an error.
///
/// An optimizer should have one scheduler. Several schedules are composed as
/// [`ChainedScheduler`](super::ChainedScheduler) or [`SequentialLr`](super::SequentialLr), whose parts know the same
/// initial rates.
#[derive(Debug)]
pub struct LrScheduler {
    schedule: Schedule,
    stepped: Stepped,
    /// One for each group that is known, where the schedule is not on a metric.
    memory: Vec<Memory>,
    last_lr: Vec<f64>,
}

impl LrScheduler {
    /// Binds a schedule to an optimizer's parameter groups, and sets their first rates.
    ///
    /// The rates that the groups have are remembered as the initial ones, where the schedule has none of its own. To
    /// resume training, make the scheduler anew, then load the optimizer's state and [`load_state`](Self::load_state).
    ///
    /// # Errors
    /// When a hyperparameter is out of its range or does not fit the groups; when schedules are composed that can't be;
    /// when the momentum is to be cycled and there is none. Nothing is set then.
    pub fn new(schedule: impl Into<Schedule>, groups: &mut dyn ParameterGroupRates) -> Result<Self, ScheduleError> {
        let schedule = schedule.into();
        let mut stepped = Stepped::new(&schedule)?;
        let mut memory = Vec::new();
        match &mut stepped {
            Stepped::Alone(node) => {
                node.check_groups(groups)?;
                memory.resize(groups.groups(), Memory::default());
                node.construct(&mut Groups { rates: groups, memory: &mut memory });
            }
            Stepped::OnMetric(plateau) => plateau.check_groups(groups)?,
        }
        Ok(Self { schedule, stepped, memory, last_lr: rates(groups) })
    }

    /// Sets the groups' next rates, and momenta where they are cycled.
    ///
    /// # Errors
    /// When the schedule goes by a metric; when a [`OneCycleLr`](super::OneCycleLr) is at its end; when groups were
    /// added for which the schedule has no values, or taken away. Nothing is set then, and the step does not count.
    pub fn step(&mut self, groups: &mut dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        let schedule = self.schedule.name();
        let Stepped::Alone(node) = &mut self.stepped else {
            return Err(ScheduleError::MetricMissing { schedule });
        };
        node.check_step()?;
        let (known, found) = (self.memory.len(), groups.groups());
        if found < known {
            return Err(ScheduleError::GroupsRemoved { schedule, known, groups: found });
        }
        if found > known {
            node.check_groups(groups)?;
            self.memory.resize(found, Memory::default());
        }
        let mut remembered = Groups { rates: groups, memory: &mut self.memory };
        node.admit(&mut remembered);
        node.step(&mut remembered);
        self.last_lr = rates(groups);
        Ok(())
    }

    /// Looks at the metric, and reduces the groups' rates if it has not improved for long enough.
    ///
    /// # Errors
    /// When the schedule does not go by a metric; when groups were added for which it has no `min_lr`. Nothing is set
    /// then, and the step does not count.
    pub fn step_with_metric(&mut self, groups: &mut dyn ParameterGroupRates, metric: f64) -> Result<(), ScheduleError> {
        let Stepped::OnMetric(plateau) = &mut self.stepped else {
            return Err(ScheduleError::MetricUnexpected { schedule: self.schedule.name() });
        };
        plateau.check_groups(groups)?;
        plateau.step(groups, metric);
        self.last_lr = rates(groups);
        Ok(())
    }

    /// The rate of each group, as the last step or the start has set it.
    pub fn last_lr(&self) -> &[f64] {
        &self.last_lr
    }

    /// Whether it is stepped with a metric, as a [`ReduceLrOnPlateau`](super::ReduceLrOnPlateau) alone is.
    pub fn needs_metric(&self) -> bool {
        self.schedule.needs_metric()
    }

    /// The schedule with its hyperparameters.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// All that it has to remember when training is interrupted. The groups' rates and momenta are the optimizer's to
    /// remember.
    pub fn state(&self) -> LrSchedulerState {
        let scheduler = match &self.stepped {
            Stepped::Alone(node) => node.state(),
            Stepped::OnMetric(plateau) => plateau.state(),
        };
        LrSchedulerState { last_lr: self.last_lr.clone(), param_groups: self.memory.clone(), scheduler }
    }

    /// Takes over a state that [`state`](Self::state) gave for the same schedule. Steps then go on bit for bit as they
    /// would have, if the groups have the rates and momenta that they had; those are not set here. Hyperparameters may
    /// differ.
    ///
    /// # Errors
    /// [`ScheduleError::State`] if it is of another schedule; nothing is loaded then.
    pub fn load_state(&mut self, state: &LrSchedulerState) -> Result<(), ScheduleError> {
        let mut stepped = Stepped::new(&self.schedule)?;
        let loaded = match &mut stepped {
            Stepped::Alone(node) => node.load(&state.scheduler, state.param_groups.len()),
            Stepped::OnMetric(plateau) => plateau.load(&state.scheduler),
        };
        loaded.map_err(|reason| ScheduleError::State { schedule: self.schedule.name(), reason })?;
        self.stepped = stepped;
        self.memory.clone_from(&state.param_groups);
        self.last_lr.clone_from(&state.last_lr);
        Ok(())
    }
}

fn rates(groups: &dyn ParameterGroupRates) -> Vec<f64> {
    (0..groups.groups()).map(|group| groups.lr(group)).collect()
}

/// What a step calls.
#[derive(Debug)]
enum Stepped {
    Alone(Box<dyn Node>),
    OnMetric(Plateau),
}

impl Stepped {
    fn new(schedule: &Schedule) -> Result<Self, ScheduleError> {
        Ok(match schedule.bind()? {
            Bound::Leaf(leaf) => Self::Alone(Box::new(leaf)),
            Bound::Composition(node) => Self::Alone(node),
            Bound::OnMetric(plateau) => Self::OnMetric(plateau),
        })
    }
}
