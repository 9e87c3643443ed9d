use serde::{Deserialize, Serialize};

use super::groups::Memory;
use crate::json_float;

/// The state of a [`LrScheduler`](super::LrScheduler), from which training can be resumed.
///
/// It is serializable, with PyTorch's names where they exist: `last_epoch`, `base_lrs`, `_last_lr`, `_schedulers`, `best`, …;
/// `param_groups` contains the values that PyTorch adds to the optimizer's groups, such as `initial_lr`. It contains neither
/// the hyperparameters, which belong to the [`Schedule`](super::Schedule), nor the rates and momenta of the groups, which
/// belong to the optimizer.
///
/// Resumed training is bit-for-bit the same if the format preserves every bit of an `f64` (serde_json's does with its
/// feature `float_roundtrip`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LrSchedulerState {
    #[serde(rename = "_last_lr")]
    pub(super) last_lr: Vec<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) param_groups: Vec<Memory>,
    pub(super) scheduler: SchedulerState,
}

impl LrSchedulerState {
    /// The number of parameter groups.
    pub(crate) fn groups(&self) -> usize {
        self.param_groups.len().max(self.last_lr.len())
    }
}

/// The state of one scheduler, which may be a composition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SchedulerState {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_epoch: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) base_lrs: Vec<f64>,
    #[serde(rename = "_schedulers", skip_serializing_if = "Vec::is_empty")]
    pub(super) schedulers: Vec<SchedulerState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plateau: Option<PlateauState>,
}

/// The state of a `ReduceLrOnPlateau`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlateauState {
    #[serde(with = "json_float")]
    pub(super) best: f64,
    pub(super) num_bad_epochs: u64,
    pub(super) cooldown_counter: u64,
}

impl SchedulerState {
    /// Returns an empty state of a scheduler with this name.
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Returns an error if the state belongs to a scheduler with another name.
    pub(super) fn check_name(&self, name: &str) -> Result<(), String> {
        if self.name == name {
            return Ok(());
        }
        Err(format!("it has the state of {} in place of {name}", self.name))
    }
}
