//! The state of a run other than its module, optimizers and counters, saved in checkpoints.

use super::SavedIntervalClock;
use crate::data::{SavedLoader, Seed};
use crate::json_float::JsonFloat;
use crate::log::SavedLog;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state, apart from its tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunState {
    /// The seed of loaders that have none of their own; 0 in checkpoints of older versions, which always used 0.
    pub(crate) seed: Seed,
    /// Within an epoch, the loader of its batches.
    pub(crate) train_loader: Option<SavedLoader>,
    /// Within an epoch, the parts of it that other numbers of processes have trained on, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) epoch_parts: Vec<EpochPart>,
    pub(crate) should_stop: bool,
    pub(crate) stop_reason: Option<String>,
    pub(crate) has_validated: bool,
    /// Of checkpoints that were written before clocks were kept: none.
    pub(crate) validation_clock: Option<SavedIntervalClock>,
    pub(crate) lr_scheduler_clocks: Vec<SavedIntervalClock>,
    /// The schedules with their hyperparameters; null for one that contains a function.
    pub(crate) lr_schedules: Vec<serde_json::Value>,
    /// The value that a hook has set instead of the trainer's.
    pub(crate) accumulate_grad_batches: Option<usize>,
    pub(crate) toggled_optimizer: Option<usize>,
    /// Whether a loss of the running accumulation window was NaN or infinite, so that no step is taken.
    pub(crate) skips_next_step: bool,
    /// The terms of weighted losses in the running accumulation window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) terms: Option<Terms>,
    /// The parameters that hooks have frozen and unfrozen, other than by toggling.
    pub(crate) refrozen: Refrozen,
    pub(crate) callback_metrics: BTreeMap<String, JsonFloat>,
    pub(crate) training_log: SavedLog,
    /// The state of each logger.
    pub(crate) loggers: Vec<serde_json::Value>,
}

/// Consecutive batches of an epoch, which a number of processes has trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EpochPart {
    pub(crate) world_size: usize,
    /// The batches of each process.
    pub(crate) batches: usize,
}

/// The terms of weighted losses in an accumulation window, in one process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// The number by which the losses are divided before the window ends.
    pub(crate) divisor: f64,
    /// The number of terms so far.
    pub(crate) count: usize,
}

/// The names of the parameters that were frozen or unfrozen since the start of `fit`. The module determines the
/// others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refrozen {
    pub(crate) frozen: Vec<String>,
    pub(crate) unfrozen: Vec<String>,
}

impl RunState {
    /// Drops what was logged of an epoch that is not continued.
    pub(crate) fn forget_logged(&mut self) {
        self.training_log = SavedLog::default();
    }
}

/// The prefix of the names of the log's tensors.
pub(crate) const LOG: &str = "log.";
/// The prefix of the names of the tensors with the state of random numbers.
pub(crate) const RANDOM: &str = "random.";
/// The prefix of the names of gradients.
pub(crate) const GRADIENT: &str = "gradient.";
