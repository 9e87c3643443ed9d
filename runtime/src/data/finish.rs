//! What a loader does with a batch before it is passed on.

use super::options::Options;
use super::{Batch, pinned};

/// What is done with each batch, on the thread that has read it.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    checks_contract: bool,
    pins: bool,
}

impl Finish {
    pub(super) fn new(options: &Options) -> Self {
        Self { checks_contract: options.check_contract, pins: pinned::is_wanted(options) }
    }

    /// Checks the batch, and pins its memory. `indices` are those of its samples; none if they have no index.
    pub(super) fn batch<B: Batch>(self, batch: B, indices: &[usize]) -> anyhow::Result<B> {
        if self.checks_contract {
            batch.check_contract().map_err(|violation| violation.of_samples(indices))?;
        }
        if self.pins { Ok(batch.move_to_pinned_memory()?) } else { Ok(batch) }
    }
}
