//! Where logged rows go.

mod csv;
mod run_start;

pub use csv::CsvLogger;
pub use run_start::{ResumedRun, RunStart};

use crate::error::Error;
use serde_json::Value;

/// Receives the rows that a run logs. Lightning's
/// [`Logger`](https://lightning.ai/docs/pytorch/stable/extensions/logging.html).
///
/// # The rows of a resumed run
///
/// What a logger has and what a checkpoint has agree, also after a kill and a power cut. Before a checkpoint is written,
/// [`save`](Self::save) forces the rows to the disk, and the checkpoint gets their number and the logger's
/// [`state_dict`](Self::state_dict). A run that resumes from it hands both to [`begin`](Self::begin), so that a logger can drop
/// the rows that the interrupted run logged after it: the resumed run logs them again.
pub trait Logger {
    /// Begins a run: called once in each, before any row.
    ///
    /// # Errors
    /// [`Error`] where rows can't be kept.
    fn begin(&mut self, run: &RunStart) -> Result<(), Error> {
        let _ = run;
        Ok(())
    }

    /// Takes a row: names with their values, and the step that it belongs to.
    ///
    /// # Errors
    /// [`Error`] where the row can't be kept.
    fn log_metrics(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), Error>;

    /// Takes the hyperparameters of the run.
    ///
    /// # Errors
    /// [`Error`] where they can't be kept.
    fn log_hyperparams(&mut self, hyper_parameters: &Value) -> Result<(), Error> {
        let _ = hyper_parameters;
        Ok(())
    }

    /// Forces all rows so far to the disk, so that a power cut does not undo them. Called before each checkpoint is written.
    ///
    /// # Errors
    /// [`Error`] where that fails; no checkpoint is written then.
    fn save(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// What a checkpoint keeps of the logger, for [`begin`](Self::begin) of the run that resumes from it.
    fn state_dict(&self) -> Value {
        Value::Null
    }

    /// Ends a run: what is not written yet is to be. Called after the last hook, and where a run ends by an error after
    /// `on_exception`.
    ///
    /// # Errors
    /// [`Error`] where something is lost.
    fn finalize(&mut self, status: RunStatus) -> Result<(), Error> {
        let _ = status;
        Ok(())
    }
}

/// How a run ended, as Lightning tells its loggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// It came to its end.
    Success,
    /// It ended by an error.
    Failed,
}
