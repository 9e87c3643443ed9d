use crate::error_chain::in_one_line;
use crate::run_location::at;
use crate::stage::Stage;

/// An error or a panic of a logger, with its location in the run.
#[derive(Debug, thiserror::Error)]
#[error("the logger `{logger}` failed in `{stage}`{}: {}", at(*epoch, *batch_idx), in_one_line(error))]
#[non_exhaustive]
pub struct LoggerError {
    /// The logger's [`name`](super::Logger::name).
    pub logger: String,
    /// The verb that was running.
    pub stage: Stage,
    /// The training epoch, from 0, if one was running.
    pub epoch: Option<usize>,
    /// The batch, from 0, if one was running.
    pub batch_idx: Option<usize>,
    /// The error that the logger returned, or the message of its panic. Its message is part of this one, so that it is not a
    /// [`source`](std::error::Error::source).
    pub error: anyhow::Error,
}
