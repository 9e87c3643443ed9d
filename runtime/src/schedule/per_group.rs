use serde::{Deserialize, Serialize};

use super::ScheduleError;
use super::error::require_finite;

/// A hyperparameter that is the same for all parameter groups, or has a value for each.
///
/// The serialized form is the value, or the list of values.
///
/// ```
/// use tch_lightning::schedule::PerGroup;
///
/// let same: PerGroup<f64> = 0.1.into();
/// let each: PerGroup<f64> = [0.1, 0.01].into();
/// assert_eq!(same, PerGroup::All(0.1));
/// assert_eq!(each, PerGroup::Each(vec![0.1, 0.01]));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write one value for all parameter groups, or a list with one for each")]
pub enum PerGroup<T> {
    /// One value for all groups, also for those that are added later.
    All(T),
    /// A value for each group, in their order.
    Each(Vec<T>),
}

impl<T> PerGroup<T> {
    /// Returns the value for a group. The number of groups must have been checked by `check_groups`.
    pub(super) fn of(&self, group: usize) -> &T {
        match self {
            Self::All(value) => value,
            Self::Each(values) => &values[group],
        }
    }

    /// Returns all values.
    pub(crate) fn values(&self) -> &[T] {
        match self {
            Self::All(value) => std::slice::from_ref(value),
            Self::Each(values) => values,
        }
    }

    /// Returns an error unless there is a value for each group.
    pub(crate) fn check_groups(
        &self,
        schedule: &'static str,
        name: &'static str,
        groups: usize,
    ) -> Result<(), ScheduleError> {
        match self {
            Self::Each(values) if values.len() != groups => {
                Err(ScheduleError::PerGroup { schedule, name, given: values.len(), groups })
            }
            _ => Ok(()),
        }
    }
}

impl PerGroup<f64> {
    /// Returns an error unless all values are finite.
    pub(super) fn require_finite(&self, schedule: &'static str, name: &'static str) -> Result<(), ScheduleError> {
        self.values().iter().try_for_each(|value| require_finite(schedule, name, *value))
    }
}

impl<T> From<T> for PerGroup<T> {
    fn from(value: T) -> Self {
        Self::All(value)
    }
}

impl<T> From<Vec<T>> for PerGroup<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Each(values)
    }
}

impl<T, const N: usize> From<[T; N]> for PerGroup<T> {
    fn from(values: [T; N]) -> Self {
        Self::Each(values.into())
    }
}
