//! The files in the folder of a run.

use super::ReportError;
use super::metrics::{Rows, Series};
use super::settings::{self, Settings};
use crate::callbacks::MonitorMode;
use crate::context::CONFIG;
use crate::loggers::{HYPERPARAMETERS, METRICS_CSV, METRICS_JSON_LINES};
use crate::regular_file;
use crate::since_1970::since_1970;
use crate::trainer::{Outcome, RUN_FILE, RunFile};
use crate::yaml;
use serde_json::Value;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The metric whose smallest value is shown for a run that monitors none.
const DEFAULT_MONITOR: &str = "val_loss";

/// Whether a run still runs, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// Its process runs on this machine.
    Running,
    /// It came to its end.
    Finished,
    /// It ended by an error.
    Failed,
    /// Ctrl-C or SIGTERM ended it.
    Interrupted,
    /// Its process ended without writing how: by a kill or a power cut.
    Killed,
    /// The folder does not have a `run.json`, or the run was begun on another machine and has not ended.
    Unknown,
}

impl RunState {
    /// Returns the state in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Killed => "killed",
            Self::Unknown => "unknown",
        }
    }
}

/// The best value of a metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BestValue {
    /// The name of the metric.
    pub metric: String,
    /// Whether smaller or larger values are better.
    pub mode: MonitorMode,
    /// The value.
    pub value: f64,
    /// The step at which it was logged.
    pub step: f64,
}

/// What the folder of a run contains.
#[derive(Debug)]
pub struct LoggedRun {
    folder: PathBuf,
    pub(super) file: Option<RunFile>,
    pub(super) rows: Rows,
    pub(super) settings: Settings,
    problems: Vec<String>,
    /// When a file was last written, in seconds since 1970.
    modified: Option<f64>,
    state: RunState,
}

/// Whether a folder has a file of a run.
pub(super) fn has_files(folder: &Path) -> bool {
    [METRICS_CSV, METRICS_JSON_LINES, HYPERPARAMETERS, CONFIG, RUN_FILE].iter().any(|name| folder.join(name).is_file())
}

impl LoggedRun {
    /// Reads the folder of a run. A file that cannot be read is one of the [`problems`](Self::problems).
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn read(folder: impl Into<PathBuf>) -> Result<Self, ReportError> {
        let folder = folder.into();
        match std::fs::read_dir(&folder) {
            Ok(_) => Ok(Self::of_files(folder)),
            Err(source) => Err(ReportError::Folder { path: folder, source }),
        }
    }

    /// Reads the folder of a run that was found in another folder. If it cannot be read, that is one of the problems.
    pub(super) fn found(folder: PathBuf) -> Self {
        let Err(error) = std::fs::read_dir(&folder) else { return Self::of_files(folder) };
        let problems = vec![format!("cannot read {}: {error}", folder.display())];
        let (rows, settings) = (Rows::default(), Settings::new());
        Self { folder, file: None, rows, settings, problems, modified: None, state: RunState::Unknown }
    }

    fn of_files(folder: PathBuf) -> Self {
        let mut problems = Problems::default();
        let file: Option<RunFile> = problems.json(&folder.join(RUN_FILE));
        let mut rows = problems.found(&folder.join(METRICS_CSV), Rows::of_csv);
        let lines = problems.found(&folder.join(METRICS_JSON_LINES), Rows::of_json_lines);
        problems.invalid(&folder.join(METRICS_CSV), rows.as_ref());
        problems.invalid(&folder.join(METRICS_JSON_LINES), lines.as_ref());
        if let (Some(rows), Some(lines)) = (&mut rows, &lines)
            && rows.times.is_empty()
        {
            rows.times.clone_from(&lines.times);
        }
        let mut settings = Settings::new();
        if let Some(values) = problems.json::<Value>(&folder.join(HYPERPARAMETERS)) {
            settings::add(&mut settings, "", &values);
        }
        let path = folder.join(CONFIG);
        let configuration = problems.found(&path, regular_file::read);
        let configuration = configuration.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match configuration.as_ref().map(|text| yaml::parse(text.as_bytes())) {
            Some(Ok(table)) => settings::add(&mut settings, "", &Value::Object(table)),
            Some(Err(mistake)) => problems.0.push(format!("{} is not valid: {mistake}", path.display())),
            None => {}
        }
        let modified = modified(&folder);
        let state = state_of(file.as_ref());
        let rows = rows.or(lines).unwrap_or_default();
        Self { folder, file, rows, settings, problems: problems.0, modified, state }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the name of the folder, such as `version_3`.
    pub fn name(&self) -> String {
        let name = self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| self.folder.display().to_string())
    }

    /// Returns whether the run still runs, or how it ended.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// Returns why the run ended, in a sentence: the reason of a `fit`, or the error.
    pub fn end_reason(&self) -> Option<&str> {
        self.file.as_ref()?.reason.as_deref()
    }

    /// Returns when the run began; `None` without a `run.json`.
    pub fn started(&self) -> Option<SystemTime> {
        let started = Duration::try_from_secs_f64(self.file.as_ref()?.started).ok()?;
        UNIX_EPOCH.checked_add(started)
    }

    /// Returns how long the run took, or takes so far. For a killed run, this is the time until its last row.
    pub fn duration(&self) -> Option<Duration> {
        duration_of(self.file.as_ref()?, self.state, self.modified)
    }

    /// Returns the number of completed epochs.
    pub fn epochs(&self) -> Option<usize> {
        self.ended().and_then(|file| file.epochs).or_else(|| whole(self.rows.last_epoch?))
    }

    /// Returns the number of optimizer steps. For a run that has not ended, these are the steps until its last row.
    pub fn steps(&self) -> Option<usize> {
        self.ended().and_then(|file| file.steps).or_else(|| whole(self.rows.last_step? + 1.0))
    }

    fn ended(&self) -> Option<&RunFile> {
        self.file.as_ref().filter(|file| file.ended.is_some())
    }

    /// Returns the logged metrics by name, in the order of their columns.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &Series)> {
        self.rows.metrics.iter().map(|(name, series)| (name.as_str(), series))
    }

    /// Returns the values of a metric.
    pub fn metric(&self, name: &str) -> Option<&Series> {
        self.rows.metrics.get(name)
    }

    /// Returns the best value of the metric by which the run's `ModelCheckpoint` ranks checkpoints, or of `val_loss` if it monitors
    /// none; `None` without finite values.
    pub fn best(&self) -> Option<BestValue> {
        let monitor = self.file.as_ref().and_then(|file| file.monitor.as_ref());
        let (metric, mode) =
            monitor.map_or((DEFAULT_MONITOR, MonitorMode::Min), |monitor| (monitor.metric.as_str(), monitor.mode));
        let better = |best: (f64, f64), next: (f64, f64)| if mode.is_better(next.1, best.1) { next } else { best };
        let (step, value) = self.rows.metrics.get(metric)?.finite().reduce(better)?;
        Some(BestValue { metric: metric.to_owned(), mode, value, step })
    }

    /// Returns the hyperparameters and the saved configuration, by the path of their names: `model.lr`.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether nothing was found in the folder.
    pub(crate) fn is_empty(&self) -> bool {
        self.file.is_none() && self.rows.metrics.is_empty() && self.settings.is_empty() && self.problems.is_empty()
    }

    /// Returns a sentence for each file that could not be read, or not completely.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

/// Returns when a file of a run was last written, in seconds since 1970.
pub(super) fn modified(folder: &Path) -> Option<f64> {
    let modified = [METRICS_CSV, METRICS_JSON_LINES, RUN_FILE, HYPERPARAMETERS]
        .iter()
        .filter_map(|name| Some(since_1970(folder.join(name).metadata().ok()?.modified().ok()?).as_secs_f64()));
    modified.max_by(f64::total_cmp)
}

/// Returns how long a run took, or takes so far: for a killed one, until a file was last written.
pub(super) fn duration_of(file: &RunFile, state: RunState, modified: Option<f64>) -> Option<Duration> {
    let end = match (file.ended, state) {
        (Some(ended), _) => ended,
        (None, RunState::Running) => since_1970(SystemTime::now()).as_secs_f64(),
        (None, _) => modified?,
    };
    Duration::try_from_secs_f64(end - file.started).ok()
}

/// Returns whether a run still runs, or how it ended.
pub(super) fn state_of(file: Option<&RunFile>) -> RunState {
    let Some(file) = file else { return RunState::Unknown };
    match file.outcome {
        Outcome::Finished => RunState::Finished,
        Outcome::Failed => RunState::Failed,
        Outcome::Interrupted => RunState::Interrupted,
        Outcome::Running => match file.process.as_ref().and_then(|process| process.runs()) {
            Some(true) => RunState::Running,
            Some(false) => RunState::Killed,
            None => RunState::Unknown,
        },
    }
}

/// Returns a count that was logged as a float.
pub(super) fn whole(number: f64) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
    (0.0..9e15).contains(&number).then_some(number as usize)
}

/// A sentence for each file that cannot be read.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<String>);

impl Problems {
    /// Returns the contents of a file; `None` if there is no file, or if it cannot be read.
    fn found<T>(&mut self, path: &Path, read: impl FnOnce(&Path) -> io::Result<T>) -> Option<T> {
        match read(path) {
            Ok(contents) => Some(contents),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                self.0.push(format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        let bytes = self.found(path, regular_file::read)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.0.push(format!("{} is not valid: {error}", path.display())))
            .ok()
    }

    fn invalid(&mut self, path: &Path, rows: Option<&Rows>) {
        let invalid = rows.map_or(0, |rows| rows.invalid);
        if invalid > 0 {
            let values = crate::counted::counted(invalid, "value");
            self.0.push(format!("skipped {values} of {} that could not be read", path.display()));
        }
    }
}
