//! Memory that a GPU can copy from by itself.

use std::sync::Once;

use super::Batch;
use super::options::Options;
use crate::device::{CudaStatus, cuda_status};
use crate::terminal;

/// Whether memory can be pinned here.
pub(super) fn is_possible() -> bool {
    matches!(cuda_status(), CudaStatus::Usable { .. })
}

/// Whether batches are to be pinned. Where they can't be, that is said once.
pub(super) fn is_wanted(options: &Options) -> bool {
    static ONCE: Once = Once::new();
    let is_wanted = options.pin_memory && is_possible();
    if options.pin_memory && !is_wanted {
        ONCE.call_once(|| {
            terminal::say(&format!("warning: pin_memory has no effect, for CUDA can't be used: {}", cuda_status()));
        });
    }
    is_wanted
}

/// The batch, in pinned memory if `pin` says so.
pub(super) fn pinned_if<B: Batch>(pin: bool, batch: B) -> anyhow::Result<B> {
    if pin { Ok(batch.move_to_pinned_memory()?) } else { Ok(batch) }
}
