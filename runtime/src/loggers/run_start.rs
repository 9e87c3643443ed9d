use crate::stage::Stage;
use serde_json::Value;
use std::path::PathBuf;

/// The start of a run, for loggers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunStart {
    /// The verb.
    pub stage: Stage,
    /// The state in the checkpoint that a `fit` resumes from; `None` if it does not resume.
    pub resumed: Option<ResumedRun>,
    /// The folder of the run, for a logger that [uses it](super::Logger::uses_run_folder); `None` for others.
    pub log_dir: Option<PathBuf>,
}

/// The part of a run before the checkpoint that it is resumed from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ResumedRun {
    /// The step of the rows that come next: how many batches the optimizers had stepped after.
    pub step: usize,
    /// How many rows each logger had got from the run; 0 in checkpoints from before rows were counted.
    pub rows: usize,
    /// The [`state_dict`](super::Logger::state_dict) of the trainer's logger at the same position.
    pub state: Value,
}

impl RunStart {
    /// Returns the start of a run from its beginning, as for a test of a logger.
    pub fn new(stage: Stage) -> Self {
        Self { stage, resumed: None, log_dir: None }
    }
}

/// The outcome of a run, as Lightning passes it to `finalize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunStatus {
    /// It came to its end.
    Success,
    /// It ended by an error.
    Failed,
}
