//! Records as lines of JSON.

use super::appended_file::AppendedFile;
use super::log_folder::LogFolder;
use super::media::{MediaFolder, histogram_json};
use super::{LoggedAt, Logger, Record, RunStart, RunStatus};
use crate::file_error::FileError;
use crate::json_float::JsonFloat;
use crate::since_1970::since_1970;
use crate::stage::Stage;
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Writes `metrics.jsonl`: a line of JSON for each row, which other programs can follow during the run.
///
/// ```json
/// {"time": 1764248400.5, "step": 49, "epoch": 0, "values": {"train_loss": 0.31}}
/// {"time": 1764248401.0, "step": 49, "epoch": 0, "hyperparameters": {"model": {"lr": 0.001}}}
/// {"time": 1764248401.5, "step": 99, "epoch": 0, "histogram": {"name": "layer/weight.grad", "edges": […], "counts": […], …}}
/// {"time": 1764248402.0, "step": 99, "epoch": 0, "checkpoint": "lightning_logs/version_0/checkpoints/epoch=0-step=100.ckpt"}
/// ```
///
/// Numbers that JSON does not have are the texts `"NaN"`, `"inf"` and `"-inf"`. Images, figures, tables and texts are files in
/// the same folder. Every line is in the file as soon as it is logged. A run that resumes in the folder of the interrupted one removes the
/// lines after the checkpoint; otherwise the first `fit` of a logger replaces the file, and `validate` and `test` add to it.
#[derive(Debug, Default)]
pub struct JsonLinesLogger {
    folder: LogFolder,
    file: Option<AppendedFile>,
}

const BYTES: &str = "bytes";
/// The file of lines.
pub(crate) const METRICS_JSON_LINES: &str = "metrics.jsonl";

impl JsonLinesLogger {
    /// Returns a logger that writes into `folder`, which is made when a run begins. One of
    /// [`default`](Self::default) writes into the folder of the run, `lightning_logs/version_…`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: LogFolder::named(folder.into()), file: None }
    }

    fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> FileError + use<> {
        let path = self.folder.file(METRICS_JSON_LINES);
        move |source| FileError { what, path: path.clone(), source }
    }

    fn append(&mut self, at: &LoggedAt, key: &str, value: Value) -> Result<(), FileError> {
        let failed = self.failed("cannot write the log");
        let time = since_1970(SystemTime::now()).as_secs_f64();
        let mut line = json!({ "time": time, "step": at.step, "epoch": at.epoch, key: value }).to_string();
        line.push('\n');
        let path = self.folder.file(METRICS_JSON_LINES);
        self.file.get_or_insert_with(|| AppendedFile::new(path, 0)).append(line.as_bytes()).map_err(failed)
    }
}

impl Logger for JsonLinesLogger {
    fn name(&self) -> &str {
        "jsonl"
    }

    fn version(&self) -> Option<String> {
        self.folder.version()
    }

    fn log_dir(&self) -> Option<&Path> {
        self.folder.path()
    }

    fn uses_run_folder(&self) -> bool {
        self.folder.is_of_run()
    }

    fn begin(&mut self, run: &RunStart) -> Result<()> {
        if self.folder.begin(run)? {
            self.file = None;
        }
        if run.resumed.is_some() || self.file.is_none() {
            let length = match &run.resumed {
                // the checkpoint of a run without this logger does not say how many lines stay
                Some(resumed) => resumed.state[BYTES].as_u64().unwrap_or(u64::MAX),
                None if run.stage == Stage::Fit => 0,
                None => u64::MAX,
            };
            self.file = Some(AppendedFile::new(self.folder.file(METRICS_JSON_LINES), length));
        }
        Ok(())
    }

    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
        let (key, value) = match record {
            Record::Scalars(row) => {
                // the line has a field for the epoch
                let is_the_epoch =
                    |name: &str, value: f64| name == "epoch" && at.epoch.map(|epoch| epoch as f64) == Some(value);
                let mut values = Map::new();
                for (name, value) in row.iter().filter(|(name, value)| !is_the_epoch(name, *value)) {
                    values.insert(name.clone(), serde_json::to_value(JsonFloat(*value))?);
                }
                ("values", Value::Object(values))
            }
            Record::Hyperparameters(values) => ("hyperparameters", (*values).clone()),
            Record::Checkpoint(checkpoint) => ("checkpoint", json!(checkpoint.path)),
            Record::Histogram { name, histogram } => ("histogram", histogram_json(name, histogram)),
            Record::Graph(_) => return Ok(()),
            media => return Ok(MediaFolder::of(&self.folder.file("")).write(media, at)?),
        };
        Ok(self.append(at, key, value)?)
    }

    fn save(&mut self) -> Result<()> {
        let failed = self.failed("cannot save the log");
        Ok(self.file.as_mut().map_or(Ok(()), AppendedFile::save).map_err(failed)?)
    }

    fn state_dict(&self) -> Value {
        json!({ BYTES: self.file.as_ref().map_or(0, AppendedFile::length) })
    }

    fn finalize(&mut self, _: RunStatus) -> Result<()> {
        self.save()
    }
}
