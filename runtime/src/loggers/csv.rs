//! Rows in a CSV file.

use super::Logger;
use crate::error::Error;
use crate::whole_file;
use csv::{Reader, StringRecord, Writer};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `metrics.csv` and `hparams.json` into a folder. Lightning's
/// [`CSVLogger`](https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.CSVLogger.html).
///
/// A row has the columns `step`, `epoch` and one for each name; what a row does not have is empty. Every row is in the file
/// as soon as it is logged. A new name adds a column to the rows before.
#[derive(Debug)]
pub struct CsvLogger {
    folder: PathBuf,
    columns: Vec<String>,
}

impl CsvLogger {
    /// A logger that writes into `folder`, which must be there. Rows that are there already are written over.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), columns: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("metrics.csv")
    }

    /// Writes the rows so far anew, with the columns that have come.
    fn widen(&mut self, new: Vec<String>) -> io::Result<()> {
        let rows = if self.columns.is_empty() { Vec::new() } else { rows(&self.path())? };
        self.columns.extend(new);
        whole_file::write(&self.path(), |file| {
            let mut writer = Writer::from_writer(file);
            writer.write_record(&self.columns)?;
            for row in rows {
                let missing = self.columns.len() - row.len();
                writer.write_record(row.iter().chain(std::iter::repeat_n("", missing)))?;
            }
            writer.flush()
        })
    }

    fn append(&mut self, metrics: &[(String, f64)], step: usize) -> io::Result<()> {
        let names = ["step", "epoch"].into_iter().chain(metrics.iter().map(|(name, _)| name.as_str()));
        let mut new: Vec<String> = Vec::new();
        for name in names {
            if !self.columns.iter().chain(&new).any(|column| column == name) {
                new.push(name.to_owned());
            }
        }
        if !new.is_empty() {
            self.widen(new)?;
        }
        let mut values: HashMap<&str, String> =
            metrics.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        values.insert("step", step.to_string());
        let mut row = Writer::from_writer(Vec::new());
        row.write_record(self.columns.iter().map(|column| values.get(column.as_str()).map_or("", String::as_str)))?;
        append_whole(&self.path(), &row.into_inner().map_err(csv::IntoInnerError::into_error)?)
    }
}

/// Appends all of it, or nothing: a disk that is full must not leave half a row.
fn append_whole(path: &Path, row: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    let before = file.metadata()?.len();
    file.write_all(row).inspect_err(|_| drop(file.set_len(before)))
}

fn rows(path: &Path) -> io::Result<Vec<StringRecord>> {
    let records = Reader::from_reader(File::open(path)?).into_records();
    Ok(records.collect::<Result<_, _>>()?)
}

impl Logger for CsvLogger {
    fn log_metrics(&mut self, metrics: &[(String, f64)], step: usize) -> Result<(), Error> {
        self.append(metrics, step).map_err(|source| Error::Io {
            what: "can't write the log",
            path: self.path(),
            source,
        })
    }

    fn log_hyperparams(&mut self, hyper_parameters: &serde_json::Value) -> Result<(), Error> {
        let path = self.folder.join("hparams.json");
        let text = format!("{hyper_parameters:#}\n");
        whole_file::write(&path, |file| file.write_all(text.as_bytes())).map_err(|source| Error::Io {
            what: "can't write the hyperparameters",
            path,
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_adds_a_column() {
        let folder = tempfile::tempdir().unwrap();
        let mut logger = CsvLogger::new(folder.path());
        let row = |name: &str, value| [(name.to_owned(), value), ("epoch".to_owned(), 1.0)];
        logger.log_metrics(&row("loss", 0.5), 9).unwrap();
        logger.log_metrics(&row("accuracy", 0.75), 9).unwrap();
        logger.log_metrics(&row("loss", 0.25), 19).unwrap();
        let text = std::fs::read_to_string(folder.path().join("metrics.csv")).unwrap();
        assert_eq!(text, "step,epoch,loss,accuracy\n9,1,0.5,\n9,1,,0.75\n19,1,0.25,\n");
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error() {
        let mut logger = CsvLogger::new("/nowhere/at/all");
        let said = logger.log_metrics(&[("loss".to_owned(), 1.0)], 0).unwrap_err().to_string();
        assert!(said.starts_with("can't write the log /nowhere/at/all/metrics.csv: "), "{said}");
    }
}
