use crate::run_location::RunLocation;
use crate::signal::Signal;
use crate::stage::RunningStage;

/// A signal that ended a run, with its location.
#[derive(Debug)]
pub(crate) struct Interruption {
    pub(crate) signal: Signal,
    /// The loop that was running.
    pub(crate) running_stage: RunningStage,
    /// The location of the last processed batch.
    pub(crate) location: RunLocation,
    /// The worker that the loader was waiting for, and the samples that it was reading.
    pub(crate) waiting_for: Option<String>,
}
