use crate::error::Error;
use crate::signal::Signal;
use crate::stage::{RunningStage, Stage};

/// The loop that a signal would interrupt.
#[derive(Clone, Copy)]
pub(crate) struct Interruption {
    pub(super) stage: Stage,
    pub(super) running_stage: RunningStage,
    pub(super) epoch: Option<usize>,
}

impl Interruption {
    /// The error of a run that `signal` ended. `batch_idx` is the batch that was worked on last.
    #[cold]
    pub(crate) fn by(self, signal: Signal, batch_idx: Option<usize>, waiting_for: Option<String>) -> Error {
        let Self { stage, running_stage, epoch } = self;
        Error::Interrupted { signal, stage, running_stage, epoch, batch_idx, waiting_for, checkpoint: None }
    }
}
