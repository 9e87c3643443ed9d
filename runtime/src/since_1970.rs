//! Times as other programs read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the time since 1970; 0 for an earlier one.
pub(crate) fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}
