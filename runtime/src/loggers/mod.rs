//! Loggers: what gets the records of a run.

mod appended_file;
mod csv;
mod error;
mod figure;
mod flattened;
mod graph;
mod histogram;
mod image;
mod json_lines;
mod log_folder;
mod media;
#[cfg(feature = "mlflow")]
mod mlflow;
mod protobuf_number;
mod record;
mod run_start;
mod table;
mod tensorboard;
mod wandb;

pub use csv::CsvLogger;
pub(crate) use csv::{HISTOGRAMS_JSON_LINES, HYPERPARAMETERS, METRICS_CSV};
pub use error::LoggerError;
pub use figure::Figure;
pub use graph::{Graph, GraphLayer, GraphTensor};
pub(crate) use histogram::Binning;
pub use histogram::Histogram;
pub use image::Image;
pub use json_lines::JsonLinesLogger;
pub(crate) use json_lines::METRICS_JSON_LINES;
pub(crate) use media::{FIGURES, IMAGES, TABLES, TEXTS};
#[cfg(feature = "mlflow")]
pub use mlflow::MlflowLogger;
pub use record::{LoggedAt, Record, SavedCheckpoint};
pub use run_start::{ResumedRun, RunStart, RunStatus};
pub use table::Table;
pub use tensorboard::TensorBoardLogger;
pub use wandb::WandbLogger;

use anyhow::Result;
use serde_json::Value;
use std::any::Any;
use std::path::Path;

/// Receives the records of a run, such as the rows of what was logged. Lightning's
/// [`Logger`](https://lightning.ai/docs/pytorch/stable/extensions/logging.html).
///
/// A logger matches the records that it writes, and ignores all others:
///
/// ```
/// use tch_lightning::prelude::*;
/// use tch_lightning::loggers::{LoggedAt, Logger, Record};
/// use tch_lightning::serde_json::{Map, json};
/// use std::io::Write;
///
/// /// Writes a line of JSON for each row.
/// struct JsonLines<W>(W);
///
/// impl<W: Write + 'static> Logger for JsonLines<W> {
///     fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
///         if let Record::Scalars(row) = record {
///             let values: Map<_, _> = row.iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
///             writeln!(self.0, "{}", json!({ "step": at.step, "values": values }))?;
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// A logger that prints uses [`messages::print`](crate::messages::print), or events of `tracing`: `println!` overwrites the progress bar.
///
/// An error or a panic of a logger ends the run with a [`LoggerError`], which names the logger. If the run has already failed, it is
/// a warning.
///
/// # Order
///
/// [`begin`](Self::begin) is called first, then `log` with the hyperparameters and the graph, then with all other records in the
/// order in which they were logged, and finally [`finalize`](Self::finalize). Several loggers are called in the order in which they
/// were added to the trainer.
///
/// # The rows of a resumed run
///
/// A logger's records agree with the checkpoint, even after a kill or a power cut. Before a checkpoint is written,
/// [`save`](Self::save) flushes the records to the disk; the checkpoint contains the number of rows and the logger's
/// [`state_dict`](Self::state_dict). A run that resumes from it passes both to [`begin`](Self::begin), so that the logger can drop
/// the rows that the interrupted run logged after the checkpoint: the resumed run logs them again.
pub trait Logger: Any {
    /// Returns the name that errors and warnings use; by default that of the type.
    fn name(&self) -> &str {
        let name = std::any::type_name::<Self>();
        let name = name.split_once('<').map_or(name, |(name, _)| name);
        name.rsplit_once("::").map_or(name, |(_, name)| name)
    }

    /// Returns the version of the run, such as the number of its folder or an identifier from a server. The default is none. It
    /// may be unknown before [`begin`](Self::begin).
    fn version(&self) -> Option<String> {
        None
    }

    /// Returns the folder of the run's files; by default none, as of a logger that sends all to a server.
    fn log_dir(&self) -> Option<&Path> {
        None
    }

    /// Whether the logger writes into the folder of the run, `lightning_logs/version_…`; by default not. The run of such a logger
    /// [begins](Self::begin) with the first record, as the folder is not made for a run that logs nothing.
    fn uses_run_folder(&self) -> bool {
        false
    }

    /// Begins a run: called once in each, before any record.
    ///
    /// # Errors
    /// If records cannot be written; the run then ends before its first hook.
    fn begin(&mut self, run: &RunStart) -> Result<()> {
        let _ = run;
        Ok(())
    }

    /// Writes a record, or ignores it.
    ///
    /// # Errors
    /// If the record cannot be written.
    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()>;

    /// Forces all records so far to the disk, so that a power cut does not undo them. Called before each checkpoint is written.
    ///
    /// # Errors
    /// If that fails; no checkpoint is written then.
    fn save(&mut self) -> Result<()> {
        Ok(())
    }

    /// Returns the logger's state for a checkpoint, which is passed to [`begin`](Self::begin) of the run that resumes from it.
    fn state_dict(&self) -> Value {
        Value::Null
    }

    /// Ends a run, and writes what is not written yet. Called after the last hook; in a run that ends by an error, after
    /// `on_exception`.
    ///
    /// # Errors
    /// If a record is lost.
    fn finalize(&mut self, status: RunStatus) -> Result<()> {
        let _ = status;
        Ok(())
    }
}
