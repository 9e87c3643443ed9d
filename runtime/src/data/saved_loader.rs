use serde::{Deserialize, Serialize};

use super::{Batch, Batches, DataLoader};

/// The description of a loader in a checkpoint, to detect that a resumed run has a loader with different batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedLoader {
    /// The batches of the loader, in words.
    pub(crate) deals: String,
    /// A number that is equal for two loaders with the same samples in the same batches.
    pub(crate) fingerprint: u64,
}

impl SavedLoader {
    /// Describes a loader in the epoch of `batches`.
    pub(crate) fn of<B: Batch>(loader: &DataLoader<B>, batches: &Batches<'_, B>) -> Self {
        Self { deals: loader.describe(), fingerprint: batches.fingerprint() }
    }
}
