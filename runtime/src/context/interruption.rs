use crate::signal::Signal;
use crate::stage::{RunningStage, Stage};

/// A signal that has ended a run, and where.
#[derive(Debug)]
pub(crate) struct Interruption {
    pub(crate) signal: Signal,
    pub(crate) location: LoopLocation,
    /// The batch that was worked on last.
    pub(crate) batch_idx: Option<usize>,
    /// Which worker of a loader was waited for, and what it was reading.
    pub(crate) waiting_for: Option<String>,
}

/// The loop that is running.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopLocation {
    pub(crate) stage: Stage,
    pub(crate) running_stage: RunningStage,
    /// The training epoch, from 0, where one is running.
    pub(crate) epoch: Option<usize>,
}
