//! Where logged rows go.

mod csv;

pub use csv::CsvLogger;

use crate::error::Error;

/// Receives the rows that a run logs. Lightning's
/// [`Logger`](https://lightning.ai/docs/pytorch/stable/extensions/logging.html).
pub trait Logger {
    /// Takes a row: names with their values, and the step that it belongs to.
    ///
    /// # Errors
    /// [`Error`] where the row can't be kept.
    fn log_metrics(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), Error>;

    /// Takes the hyperparameters of the run.
    ///
    /// # Errors
    /// [`Error`] where they can't be kept.
    fn log_hyperparams(&mut self, hyper_parameters: &serde_json::Value) -> Result<(), Error> {
        let _ = hyper_parameters;
        Ok(())
    }

    /// Ends a run: what is not written yet is to be. Called behind the last hook, and where a run ends by an error behind
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
