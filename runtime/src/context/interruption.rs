use crate::signal::Signal;
use crate::stage::{RunningStage, Stage};

/// A signal that ended a run, with its location.
#[derive(Debug)]
pub(crate) struct Interruption {
    pub(crate) signal: Signal,
    pub(crate) location: LoopLocation,
    /// The last processed batch.
    pub(crate) batch_idx: Option<usize>,
    /// The worker that the loader was waiting for, and the samples that it was reading.
    pub(crate) waiting_for: Option<String>,
}

/// The loop that is running.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopLocation {
    pub(crate) stage: Stage,
    pub(crate) running_stage: RunningStage,
    /// The training epoch, from 0, if one is running.
    pub(crate) epoch: Option<usize>,
}
