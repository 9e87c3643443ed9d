use std::sync::{Mutex, PoisonError};

unsafe extern "C" {
    fn lightning_anomaly_mode() -> bool;
    fn lightning_set_anomaly_mode(enabled: bool);
}

/// Autograd's anomaly mode, on while one of these lives: a backward pass fails where a function returns NaN for a gradient, and
/// names the function. It holds for the whole process.
pub(crate) struct AnomalyMode(());

/// How many there are, and whether the mode was on before the first.
static LIVING: Mutex<(usize, bool)> = Mutex::new((0, false));

impl AnomalyMode {
    pub(crate) fn on() -> Self {
        let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        if living.0 == 0 {
            // SAFETY: a flag is read.
            living.1 = unsafe { lightning_anomaly_mode() };
        }
        living.0 += 1;
        // SAFETY: a flag is set, which libtorch reads when a graph is made and when it is walked; the handler of warnings that is
        // set with it lives as long as the process.
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
