use super::declarations::{lightning_anomaly_mode, lightning_set_anomaly_mode};
use std::sync::{Mutex, PoisonError};

/// A guard of autograd's anomaly mode, in the whole process: a backward pass fails if a function returns NaN for a gradient, and the
/// error names the function.
pub(crate) struct AnomalyMode(());

/// The number of guards, and whether the mode was on before the first.
static LIVING: Mutex<(usize, bool)> = Mutex::new((0, false));

impl AnomalyMode {
    pub(crate) fn on() -> Self {
        let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        if living.0 == 0 {
            // SAFETY: it reads a flag.
            living.1 = unsafe { lightning_anomaly_mode() };
        }
        living.0 += 1;
        // SAFETY: it sets a flag, which libtorch reads when it builds a graph and when it runs one backward, and a handler of warnings that
        // lives as long as the process.
        unsafe { lightning_set_anomaly_mode(true) };
        Self(())
    }
}

impl Drop for AnomalyMode {
    fn drop(&mut self) {
        let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        living.0 -= 1;
        let is_on = living.0 > 0 || living.1;
        // SAFETY: as above.
        unsafe { lightning_set_anomaly_mode(is_on) };
    }
}
