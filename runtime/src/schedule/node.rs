use std::fmt::Debug;

use super::groups::{Groups, ParameterGroupRates};
use super::leaf::Leaf;
use super::reduce_lr_on_plateau::Plateau;
use super::state::SchedulerState;
use super::{Schedule, ScheduleError};

/// What a description becomes.
#[derive(Debug)]
pub(super) enum Bound {
    Leaf(Leaf),
    Composition(Box<dyn Node>),
    OnMetric(Plateau),
}

/// The error of a composition that has what it can't have at this place.
pub(super) fn refused(composition: &'static str, index: usize, schedule: &Schedule, bound: &Bound) -> ScheduleError {
    let reason = match bound {
        Bound::OnMetric(_) => "goes by a metric and can only stand alone",
        _ => "is made of others and can only stand first",
    };
    ScheduleError::Composition { schedule: composition, index, part: schedule.name(), reason }
}

/// Says so if the state is not of a composition of this name with so many parts.
pub(super) fn check_name_and_parts(state: &SchedulerState, name: &str, parts: usize) -> Result<(), String> {
    state.check_name(name)?;
    if state.schedulers.len() == parts {
        return Ok(());
    }
    Err(format!("its {name} has {} schedulers instead of {parts}", state.schedulers.len()))
}

/// A scheduler, or a part of one, that steps by itself.
///
/// [`construct`](Self::construct), [`initial_step`](Self::initial_step) and [`undo`](Self::undo) are what PyTorch's
/// constructors do to the rates and to each other's epochs. Where one scheduler is made of others, its first rates
/// depend on their order.
pub(super) trait Node: Debug + Send {
    fn name(&self) -> &'static str;

    /// Fails if what is given for each group does not fit the groups.
    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError>;

    /// Fails if the next step can't be taken.
    fn check_step(&self) -> Result<(), ScheduleError>;

    /// Takes in all groups and sets their first rates.
    fn construct(&mut self, groups: &mut Groups<'_>);

    /// Takes in the groups that were added since, and leaves their rates as they are.
    fn admit(&mut self, groups: &mut Groups<'_>);

    fn initial_step(&mut self, groups: &mut Groups<'_>);

    fn step(&mut self, groups: &mut Groups<'_>);

    /// Goes back by one epoch, and leaves the rates as they are.
    fn undo(&mut self);

    fn state(&self) -> SchedulerState;

    /// Takes over a state of as many groups, or says why it does not fit; what was loaded until then is undefined.
    fn load(&mut self, state: &SchedulerState, groups: usize) -> Result<(), String>;
}
