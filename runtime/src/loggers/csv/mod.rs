//! Rows in a CSV file.

mod existing;
mod file;

use super::appended_file::AppendedFile;
use super::log_folder::LogFolder;
use super::media::{MediaFolder, histogram_json};
use super::{Histogram, LoggedAt, Logger, Record, RunStart, RunStatus};
use crate::atomic_file;
use crate::file_error::FileError;
use crate::stage::Stage;
use anyhow::Result;
use existing::Kept;
use file::CsvFile;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `metrics.csv` and `hparams.json` into a folder, which it makes. Lightning's
/// [`CSVLogger`](https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.CSVLogger.html).
///
/// A row has the columns `step`, `epoch` and one for each name; missing values are empty. Each row is written immediately.
/// A new name adds a column to all earlier rows.
///
/// Images, figures, tables and texts are files in the same folder, such as `images/digit/step_100.png`; histograms are lines of JSON in
/// `histograms.jsonl`.
///
/// # Existing rows
///
/// The first `fit` of a logger replaces an existing file. If it resumes from a checkpoint, the rows up to the checkpoint are kept,
/// and later ones are removed once the resumed run logs or saves something. `validate`, `test` and all further runs of the same
/// logger, such as the `fit`s of a cross-validation, append to the file.
#[derive(Debug, Default)]
pub struct CsvLogger {
    folder: LogFolder,
    file: Option<CsvFile>,
    histograms: Option<AppendedFile>,
    /// How many more rows the file has than the run has logged: fewer where the run was resumed into another folder.
    surplus: i64,
}

/// The file of rows.
pub(crate) const METRICS_CSV: &str = "metrics.csv";
/// The file of hyperparameters.
pub(crate) const HYPERPARAMETERS: &str = "hparams.json";
/// The file of histograms, with a line of JSON for each.
pub(crate) const HISTOGRAMS_JSON_LINES: &str = "histograms.jsonl";

/// The name of `surplus` in a checkpoint.
const SURPLUS: &str = "surplus";
/// The name of the length of `histograms.jsonl` in a checkpoint.
const HISTOGRAMS: &str = "histograms";

impl CsvLogger {
    /// Creates a logger that writes to `folder`, which is created at the start of a run. [`default`](Self::default) creates one that
    /// writes to the folder of the run, `lightning_logs/version_…`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: LogFolder::named(folder.into()), ..Self::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.file(METRICS_CSV)
    }

    fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> FileError + use<> {
        let path = self.path();
        move |source| FileError { what, path: path.clone(), source }
    }

    fn rows(&self) -> usize {
        self.file.as_ref().map_or(0, CsvFile::rows)
    }

    /// Takes over the rows of an earlier run that stay.
    fn take_over(&mut self, kept: Kept) -> Result<(), FileError> {
        self.file = Some(CsvFile::continued(self.path(), kept).map_err(self.failed("cannot continue the log"))?);
        Ok(())
    }

    fn write_row(&mut self, row: &[(String, f64)], step: usize) -> Result<(), FileError> {
        let failed = self.failed("cannot write the log");
        let path = self.path();
        self.file.get_or_insert_with(|| CsvFile::new(path)).append(row, step).map_err(failed)
    }

    fn write_histogram(&mut self, name: &str, histogram: &Histogram, at: &LoggedAt) -> Result<(), FileError> {
        let mut line = histogram_json(name, histogram);
        (line["step"], line["epoch"]) = (at.step.into(), at.epoch.into());
        let path = self.folder.file(HISTOGRAMS_JSON_LINES);
        let file = self.histograms.get_or_insert_with(|| AppendedFile::new(path.clone(), 0));
        let what = "cannot write the histogram into";
        file.append(format!("{line}\n").as_bytes()).map_err(|source| FileError { what, path, source })
    }

    fn write_hyperparameters(&self, values: &Value) -> Result<(), FileError> {
        self.folder.make()?;
        let path = self.folder.file(HYPERPARAMETERS);
        let text = format!("{values:#}\n");
        atomic_file::write(&path, |file| file.write_all(text.as_bytes())).map_err(|source| FileError {
            what: "cannot write the hyperparameters",
            path,
            source,
        })
    }
}

fn signed(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

impl Logger for CsvLogger {
    fn name(&self) -> &str {
        "csv"
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
            (self.file, self.histograms) = (None, None);
        }
        if let Some(resumed) = &run.resumed {
            let length = resumed.state[HISTOGRAMS].as_u64().unwrap_or(u64::MAX);
            self.histograms = Some(AppendedFile::new(self.folder.file(HISTOGRAMS_JSON_LINES), length));
            // without a state, the checkpoint is older, or that run had another logger
            self.take_over(match resumed.state[SURPLUS].as_i64() {
                Some(surplus) => Kept::First(resumed.rows.saturating_add_signed(isize::try_from(surplus).unwrap_or(0))),
                None => Kept::Before(resumed.step),
            })?;
            self.surplus = signed(self.rows()) - signed(resumed.rows);
            return Ok(());
        }
        if self.file.is_none() && run.stage != Stage::Fit {
            self.take_over(Kept::All)?;
            self.histograms = Some(AppendedFile::new(self.folder.file(HISTOGRAMS_JSON_LINES), u64::MAX));
        }
        self.surplus = signed(self.rows());
        Ok(())
    }

    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
        match record {
            Record::Scalars(row) => Ok(self.write_row(row, at.step)?),
            Record::Hyperparameters(values) => Ok(self.write_hyperparameters(values)?),
            Record::Histogram { name, histogram } => Ok(self.write_histogram(name, histogram, at)?),
            media => Ok(MediaFolder::of(&self.folder.file("")).write(media, at)?),
        }
    }

    fn save(&mut self) -> Result<()> {
        let failed = self.failed("cannot save the log");
        self.histograms.as_mut().map_or(Ok(()), AppendedFile::save).map_err(&failed)?;
        Ok(self.file.as_mut().map_or(Ok(()), CsvFile::save).map_err(failed)?)
    }

    fn state_dict(&self) -> Value {
        json!({ SURPLUS: self.surplus, HISTOGRAMS: self.histograms.as_ref().map_or(0, AppendedFile::length) })
    }

    fn finalize(&mut self, _: RunStatus) -> Result<()> {
        let failed = self.failed("cannot save the log");
        Ok(self.file.as_mut().map_or(Ok(()), CsvFile::sync).map_err(failed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn row(name: &str, value: f64) -> [(String, f64); 2] {
        [(name.to_owned(), value), ("epoch".to_owned(), 1.0)]
    }

    #[test]
    fn new_name_adds_a_column() {
        let folder = tempfile::tempdir().unwrap();
        // the folder is made
        let mut logger = CsvLogger::new(folder.path().join("a/log"));
        logger.write_row(&row("loss", 0.5), 9).unwrap();
        logger.write_row(&row("accuracy", 0.75), 9).unwrap();
        logger.write_row(&row("loss", 0.25), 19).unwrap();
        let text = fs::read_to_string(folder.path().join("a/log/metrics.csv")).unwrap();
        assert_eq!(text, "step,epoch,loss,accuracy\n9,1,0.5,\n9,1,,0.75\n19,1,0.25,\n");
    }

    #[test]
    fn folder_that_cannot_be_created_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut logger = CsvLogger::new(file.path().join("log"));
        let folder = file.path().join("log").display().to_string();
        let said = logger.begin(&RunStart::new(Stage::Fit)).unwrap_err().to_string();
        assert_eq!(said, format!("cannot make the folder of the log {folder}: Not a directory (os error 20)"));
        let said = logger.write_row(&row("loss", 0.5), 0).unwrap_err().to_string();
        assert_eq!(said, format!("cannot write the log {folder}/metrics.csv: Not a directory (os error 20)"));
    }

    #[test]
    fn ten_thousand_columns_are_written_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut logger = CsvLogger::new(folder.path());
        let mut metrics: Vec<(String, f64)> = (0..10_000).map(|name| (format!("n{name}"), f64::from(name))).collect();
        logger.write_row(&metrics, 0).unwrap();
        metrics.reverse();
        logger.write_row(&metrics, 1).unwrap();
        let text = fs::read_to_string(folder.path().join("metrics.csv")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1].strip_prefix("0,,").unwrap(), lines[2].strip_prefix("1,,").unwrap());
        assert!(lines[2].starts_with("1,,0,1,2,"));
    }
}
