use super::bound::Bound;
use super::groups::{Groups, Memory, ParameterGroupRates};
use super::node::Node;
use super::reduce_lr_on_plateau::Plateau;
use super::state::LrSchedulerState;
use super::{Schedule, ScheduleError};

/// A [`Schedule`] bound to an optimizer's parameter groups, whose rates it sets at every step.
///
/// The optimizer is an argument of each step. Step the scheduler after the optimizer, once per epoch or after every batch,
/// depending on the schedule.
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
/// Groups may be added to the optimizer later, and are scheduled from the next step on. Their initial rate is the one that
/// they have then, and earlier steps count for them too. Schedules that multiply the rate continue from it, and the others
/// compute the rate from it or from their own bounds. With a hyperparameter that is a list for each group, such a step is an
/// error.
///
/// An optimizer should have one scheduler. Compose several schedules by
/// [`ChainedScheduler`](super::ChainedScheduler) or [`SequentialLr`](super::SequentialLr), whose parts share the initial
/// rates.
#[derive(Debug)]
pub struct LrScheduler {
    schedule: Schedule,
    stepped: Stepped,
    /// One element per known group, unless the schedule requires a metric.
    memory: Vec<Memory>,
    last_lr: Vec<f64>,
}

impl LrScheduler {
    /// Binds a schedule to an optimizer's parameter groups, and sets their first rates.
    ///
    /// The current rates of the groups become the initial rates, unless the schedule has its own. To resume training, create
    /// the scheduler again, then load the optimizer's state and call [`load_state`](Self::load_state).
    ///
    /// # Errors
    /// If a hyperparameter is out of range or does not fit the groups; if schedules cannot be composed; if the schedule cycles
    /// the momentum and there is none. Then nothing is set.
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

    /// Sets the next rates of the groups, and the momenta if they are cycled.
    ///
    /// # Errors
    /// If the schedule requires a metric; if a [`OneCycleLr`](super::OneCycleLr) is at its end; if groups were added for which
    /// the schedule has no values, or removed. Then nothing is set, and the step does not count.
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
        node.add_groups(&mut remembered);
        node.step(&mut remembered);
        self.last_lr = rates(groups);
        Ok(())
    }

    /// Compares the metric with the best one, and reduces the rates of the groups if it has not improved for long enough.
    ///
    /// # Errors
    /// If the schedule does not use a metric; if groups were added for which it has no `min_lr`. Then nothing is set, and the
    /// step does not count.
    pub fn step_with_metric(&mut self, groups: &mut dyn ParameterGroupRates, metric: f64) -> Result<(), ScheduleError> {
        let Stepped::OnMetric(plateau) = &mut self.stepped else {
            return Err(ScheduleError::MetricUnexpected { schedule: self.schedule.name() });
        };
        plateau.check_groups(groups)?;
        plateau.step(groups, metric);
        self.last_lr = rates(groups);
        Ok(())
    }

    /// The rate of each group that the last step, or the constructor, has set.
    pub fn last_lr(&self) -> &[f64] {
        &self.last_lr
    }

    /// Whether its steps require a metric, which is the case only for [`ReduceLrOnPlateau`](super::ReduceLrOnPlateau).
    pub fn needs_metric(&self) -> bool {
        self.schedule.needs_metric()
    }

    /// The schedule with its hyperparameters.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Returns the state for resuming the training. The rates and momenta of the groups are not part of it: they belong to
    /// the optimizer.
    pub fn state(&self) -> LrSchedulerState {
        let scheduler = match &self.stepped {
            Stepped::Alone(node) => node.state(),
            Stepped::OnMetric(plateau) => plateau.state(),
        };
        LrSchedulerState { last_lr: self.last_lr.clone(), param_groups: self.memory.clone(), scheduler }
    }

    /// Loads a state that [`state`](Self::state) returned for the same schedule. Further steps are bit-for-bit the same as
    /// without saving and loading, if the groups have the same rates and momenta; those are not set here. Hyperparameters may
    /// differ.
    ///
    /// # Errors
    /// [`ScheduleError::State`] if the state belongs to another schedule; then nothing is loaded.
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

/// The bound schedule.
#[derive(Debug)]
enum Stepped {
    Alone(Box<dyn Node>),
    OnMetric(Plateau),
}

impl Stepped {
    fn new(schedule: &Schedule) -> Result<Self, ScheduleError> {
        Ok(match schedule.bind()? {
            Bound::Rule(rule) => Self::Alone(Box::new(rule)),
            Bound::Composition(node) => Self::Alone(node),
            Bound::OnMetric(plateau) => Self::OnMetric(plateau),
        })
    }
}
