use serde::{Deserialize, Serialize};

use super::groups::Memory;
use crate::json_float;

/// What a [`LrScheduler`](super::LrScheduler) has to remember when training is interrupted.
///
/// It is plain data for serde, with PyTorch's names where PyTorch has them: `last_epoch`, `base_lrs`, `_last_lr`,
/// `_schedulers`, `best`, …; `param_groups` holds what PyTorch adds to the optimizer's groups, such as `initial_lr`.
/// The hyperparameters are not part of it: they are the [`Schedule`](super::Schedule)'s. The groups' rates and momenta
/// are not either: they are the optimizer's.
///
/// Resumed training goes on bit for bit if the format keeps an `f64` bit for bit. (serde_json's text does with its
/// feature `float_roundtrip`.)
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
    /// The parameter groups whose rates it has.
    pub(crate) fn groups(&self) -> usize {
        self.param_groups.len().max(self.last_lr.len())
    }
}

/// The state of one scheduler, which may be made of others.
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

/// What a `ReduceLrOnPlateau` has seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlateauState {
    #[serde(with = "json_float")]
    pub(super) best: f64,
    pub(super) num_bad_epochs: u64,
    pub(super) cooldown_counter: u64,
}

impl SchedulerState {
    /// The state of a scheduler of this name, empty.
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Says so if the state is of a scheduler of another name.
    pub(super) fn check_name(&self, name: &str) -> Result<(), String> {
        if self.name == name {
            return Ok(());
        }
        Err(format!("it has the state of {} in the place of {name}", self.name))
    }
}
