//! Pinned memory, from which a GPU copies asynchronously.

use std::sync::Once;

use super::options::Options;
use crate::device::{CudaStatus, cuda_status};
use crate::messages;

/// Whether memory can be pinned, which requires CUDA.
pub(super) fn is_possible() -> bool {
    matches!(cuda_status(), CudaStatus::Usable { .. })
}

/// Whether batches are to be pinned. If they cannot be, a warning is printed once per process.
pub(super) fn is_wanted(options: &Options) -> bool {
    static ONCE: Once = Once::new();
    let is_wanted = options.pin_memory && is_possible();
    if options.pin_memory && !is_wanted {
        ONCE.call_once(|| {
            messages::warning!("pin_memory has no effect, as CUDA cannot be used: {}", cuda_status());
        });
    }
    is_wanted
}
