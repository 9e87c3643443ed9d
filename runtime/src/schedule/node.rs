use std::fmt::Debug;

use super::ScheduleError;
use super::groups::{Groups, ParameterGroupRates};
use super::state::SchedulerState;

/// Returns an error if the state does not belong to a composition with this name and number of parts.
pub(super) fn check_name_and_parts(state: &SchedulerState, name: &str, parts: usize) -> Result<(), String> {
    state.check_name(name)?;
    if state.schedulers.len() == parts {
        return Ok(());
    }
    Err(format!("its {name} has {} schedulers instead of {parts}", state.schedulers.len()))
}

/// A scheduler, or a part of a composition, that steps without a metric.
///
/// [`construct`](Self::construct), [`initial_step`](Self::initial_step) and [`undo`](Self::undo) correspond to the effects of
/// PyTorch's constructors on the rates and on each other's epochs. The first rates of a composition depend on their order.
pub(super) trait Node: Debug + Send {
    fn name(&self) -> &'static str;

    /// Returns an error if a list with a value for each group does not fit the groups.
    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError>;

    /// Returns an error if the next step cannot be taken.
    fn check_step(&self) -> Result<(), ScheduleError>;

    /// Adds all groups and sets their first rates.
    fn construct(&mut self, groups: &mut Groups<'_>);

    /// Adds the groups that were added to the optimizer since, without changing their rates.
    fn add_groups(&mut self, groups: &mut Groups<'_>);

    fn initial_step(&mut self, groups: &mut Groups<'_>);

    fn step(&mut self, groups: &mut Groups<'_>);

    /// Goes back by one epoch, without changing the rates.
    fn undo(&mut self);

    fn state(&self) -> SchedulerState;

    /// Loads a state with this number of groups, or returns the reason why it does not fit, after which this node is undefined.
    fn load(&mut self, state: &SchedulerState, groups: usize) -> Result<(), String>;
}
