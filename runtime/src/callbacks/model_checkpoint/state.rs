//! What a `ModelCheckpoint` knows of its saves.

use super::best::Best;
use crate::config::Stopwatch;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What a checkpoint keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) dirpath: PathBuf,
    pub(super) best: Best,
    pub(super) best_model_path: Option<PathBuf>,
    pub(super) best_model_score: Option<f64>,
    pub(super) last_model_path: Option<PathBuf>,
    /// Nothing is saved before the first step, nor twice at one.
    #[serde(default)]
    pub(super) last_global_step_saved: usize,
    /// The training batches begun until then, over all epochs.
    #[serde(default)]
    pub(super) last_batch_saved: usize,
    #[serde(default)]
    pub(super) last_saved: Option<PathBuf>,
    /// The time since the last save that was due by time.
    #[serde(default)]
    pub(super) since_due: Duration,
    /// Whether a save waits for the metric that comes with the next validation.
    #[serde(default)]
    pub(super) is_deferred: bool,
}

/// What is known of the running run alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// Save after so many batches.
    pub(super) batches: Option<usize>,
    pub(super) stopwatch: Stopwatch,
}

impl PartialEq for Run {
    /// Two callbacks of one configuration are equal, whatever runs they are in.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
