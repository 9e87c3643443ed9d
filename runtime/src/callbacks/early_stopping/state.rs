//! What a checkpoint contains of an [`EarlyStopping`](super::EarlyStopping), apart from weights.

use super::StoppingReason;
use crate::callbacks::monitor::MonitorMode;
use serde::{Deserialize, Serialize};

/// The state that checkpoints contain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) wait_count: usize,
    pub(super) stopped_epoch: Option<usize>,
    pub(super) best_score: Option<f64>,
    pub(super) stopping_reason: Option<StoppingReason>,
    /// The number of training batches, over all epochs, at the last check. A run that is resumed after a failure may repeat several
    /// of them.
    #[serde(default)]
    pub(super) latest_check: Option<usize>,
    /// For Lightning, which keeps the patience and knows the callback by this key.
    #[serde(flatten)]
    pub(super) of_lightning: OfLightning,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OfLightning {
    pub(super) patience: usize,
    pub(super) mode: MonitorMode,
    pub(super) lightning_key: String,
}
