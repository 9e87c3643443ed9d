use crate::checkpoint::Checkpoint;
use crate::stage::Stage;
use serde_json::Value;

/// How a run begins, as loggers see it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunStart {
    /// The verb.
    pub stage: Stage,
    /// What came before the checkpoint that a `fit` resumes from; `None` where it resumes from none.
    pub resumed: Option<ResumedRun>,
}

/// The part of a run before the checkpoint that it is resumed from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ResumedRun {
    /// The step of the rows that come next: how many batches the optimizers had stepped after.
    pub step: usize,
    /// How many rows each logger had got from the run; 0 in checkpoints from before rows were counted.
    pub rows: usize,
    /// What [`state_dict`](super::Logger::state_dict) of the logger at the same place among the trainer's returned.
    pub state: Value,
}

impl RunStart {
    /// The start of a run for the logger at a place.
    pub(crate) fn of(stage: Stage, checkpoint: Option<&Checkpoint>, place: usize) -> Self {
        let resumed = checkpoint.filter(|_| stage == Stage::Fit).map(|checkpoint| {
            let progress = checkpoint.metadata.progress.resumed();
            let state = checkpoint.metadata.run.loggers.get(place).cloned().unwrap_or_default();
            ResumedRun { step: progress.batches_that_stepped(), rows: progress.rows(), state }
        });
        Self { stage, resumed }
    }
}
