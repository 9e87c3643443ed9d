use super::{Figure, Graph, Histogram, Image, Table};
use serde_json::Value;
use std::path::PathBuf;

/// A record that a run passes to its loggers. New kinds may be added: a logger ignores those that it does not support.
#[derive(Debug)]
#[non_exhaustive]
pub enum Record<'a> {
    /// A row: names with their values. Rows of [`ctx.log`](crate::Context::log) have `epoch` as their last value, unless `step` was
    /// logged. Lightning's `log_metrics`.
    Scalars(&'a [(String, f64)]),
    /// The hyperparameters, at the beginning of a run that has any. Those of a generated program are
    /// `{"model": {…}, "data": {…}}`. Lightning's `log_hyperparams`.
    Hyperparameters(&'a Value),
    /// The module's layers, at the beginning of a run. Lightning's `log_graph`.
    Graph(&'a Graph),
    /// The distribution of a tensor's values, from [`ctx.log_histogram`](crate::RunContext::log_histogram).
    Histogram {
        /// The name under which they were logged.
        name: &'a str,
        /// How many values are in which bin.
        histogram: &'a Histogram,
    },
    /// A picture, of [`ctx.log_image`](crate::RunContext::log_image).
    Image {
        /// The name under which it was logged.
        name: &'a str,
        /// The picture.
        image: &'a Image,
    },
    /// A text, of [`ctx.log_text`](crate::RunContext::log_text).
    Text {
        /// The name under which it was logged.
        name: &'a str,
        /// The text.
        text: &'a str,
    },
    /// A table, of [`ctx.log_table`](crate::RunContext::log_table).
    Table {
        /// The name under which it was logged.
        name: &'a str,
        /// The table.
        table: &'a Table,
    },
    /// A drawing, of [`ctx.log_figure`](crate::RunContext::log_figure).
    Figure {
        /// The name under which it was logged.
        name: &'a str,
        /// The drawing.
        figure: &'a Figure,
    },
    /// A checkpoint that was written completely; with `async_checkpointing`, some time before. Lightning's
    /// `after_save_checkpoint`.
    Checkpoint(&'a SavedCheckpoint),
}

/// When something was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedAt {
    /// The step: the number of batches so far after which an optimizer stepped, or the value that was logged as `step`.
    pub step: usize,
    /// The epoch, from 0; `None` before the first.
    pub epoch: Option<usize>,
}

impl LoggedAt {
    /// Returns a time, as for a test of a logger.
    pub fn new(step: usize, epoch: Option<usize>) -> Self {
        Self { step, epoch }
    }
}

/// A checkpoint that was written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SavedCheckpoint {
    /// The file. It may be removed when a later checkpoint replaces it.
    pub path: PathBuf,
    /// Whether it contains only parameters and buffers.
    pub weights_only: bool,
    /// The metric that the `ModelCheckpoint` monitors; `None` if it monitors none.
    pub monitor: Option<String>,
    /// The value of that metric when the checkpoint was requested; `None` if it was not logged by then.
    pub score: Option<f64>,
}

impl SavedCheckpoint {
    pub(crate) fn new(path: PathBuf, weights_only: bool, score: Option<(String, f64)>) -> Self {
        let (monitor, score) = score.unzip();
        Self { path, weights_only, monitor, score }
    }
}
