unsafe extern "C" {
    fn lightning_anomaly_mode() -> bool;
    fn lightning_set_anomaly_mode(enabled: bool);
}

/// Autograd's anomaly mode, on while this lives: a backward pass fails where a function returns NaN for a gradient, and names the
/// function. It holds for the whole process.
pub(crate) struct AnomalyMode {
    before: bool,
}

impl AnomalyMode {
    pub(crate) fn on() -> Self {
        // SAFETY: a flag is read.
        let before = unsafe { lightning_anomaly_mode() };
        // SAFETY: a flag is set, which libtorch reads when a graph is made and when it is walked.
        unsafe { lightning_set_anomaly_mode(true) };
        Self { before }
    }
}

impl Drop for AnomalyMode {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { lightning_set_anomaly_mode(self.before) }
    }
}
