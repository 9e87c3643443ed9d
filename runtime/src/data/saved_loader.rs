use serde::{Deserialize, Serialize};

use super::{Batch, Batches, DataLoader};

/// What a checkpoint keeps of a loader in an epoch, so that one that deals other batches is not taken for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedLoader {
    /// What it deals, in words.
    pub(crate) deals: String,
    /// The same for two loaders that deal the same samples in the same batches.
    pub(crate) fingerprint: u64,
}

impl SavedLoader {
    /// That of a loader in the epoch of `batches`.
    pub(crate) fn of<B: Batch>(loader: &DataLoader<B>, batches: &Batches<'_, B>) -> Self {
        Self { deals: loader.describe(), fingerprint: batches.fingerprint() }
    }
}
