//! The file of a log.

use super::existing::{Existing, Kept};
use crate::{atomic_file, regular_file};
use csv::{Reader, StringRecord, Writer};
use indexmap::IndexSet;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Rows of values in named columns, which are added as names come.
#[derive(Debug)]
pub(super) struct CsvFile {
    path: PathBuf,
    columns: IndexSet<String>,
    rows: usize,
    /// The end of the rows to keep from an earlier run, until the first row of this run is written.
    end: Option<u64>,
    /// Whether rows were written that a power cut may undo.
    is_unsaved: bool,
}

impl CsvFile {
    /// A file without rows, in place of the one that may be there.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, columns: IndexSet::new(), rows: 0, end: None, is_unsaved: false }
    }

    /// A file with the rows of an earlier run that stay.
    pub(super) fn continued(path: PathBuf, kept: Kept) -> io::Result<Self> {
        let Some(Existing { columns, rows, bytes }) = Existing::read(&path, kept)? else {
            return Ok(Self::new(path));
        };
        Ok(Self { path, columns, rows, end: Some(bytes), is_unsaved: false })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row, all of it or nothing.
    pub(super) fn append(&mut self, metrics: &[(String, f64)], step: usize) -> io::Result<()> {
        self.cut()?;
        let names = ["step", "epoch"].into_iter().chain(metrics.iter().map(|(name, _)| name.as_str()));
        let new: IndexSet<&str> = names.filter(|name| !self.columns.contains(*name)).collect();
        if !new.is_empty() {
            self.widen(new.into_iter().map(str::to_owned).collect())?;
        }
        let mut values: HashMap<&str, String> =
            metrics.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        values.insert("step", step.to_string());
        let mut row = Writer::from_writer(Vec::new());
        row.write_record(self.columns.iter().map(|column| values.get(column.as_str()).map_or("", String::as_str)))?;
        atomic_file::append(&self.path, &row.into_inner().map_err(csv::IntoInnerError::into_error)?)?;
        self.rows += 1;
        self.is_unsaved = true;
        Ok(())
    }

    /// Drops what does not stay of an earlier run's file.
    fn cut(&mut self) -> io::Result<()> {
        if let Some(end) = self.end {
            atomic_file::truncate(&self.path, end)?;
            self.end = None;
            self.is_unsaved = true;
        }
        Ok(())
    }

    /// Writes the rows so far again, with the columns that have come.
    fn widen(&mut self, new: Vec<String>) -> io::Result<()> {
        let rows = if self.columns.is_empty() { Vec::new() } else { rows(&self.path)? };
        let columns: IndexSet<String> = self.columns.iter().cloned().chain(new).collect();
        if let Some(folder) = self.path.parent() {
            atomic_file::make_folders(folder)?;
        }
        atomic_file::write(&self.path, |file| {
            let mut writer = Writer::from_writer(file);
            writer.write_record(&columns)?;
            for row in rows {
                let missing = columns.len() - row.len();
                writer.write_record(row.iter().chain(std::iter::repeat_n("", missing)))?;
            }
            writer.flush()
        })?;
        self.columns = columns;
        Ok(())
    }

    /// Forces the rows to the disk, those that stay of an earlier run included.
    pub(super) fn save(&mut self) -> io::Result<()> {
        self.cut()?;
        self.sync()
    }

    /// Forces the rows of this run to the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.is_unsaved {
            atomic_file::sync(&self.path)?;
            self.is_unsaved = false;
        }
        Ok(())
    }
}

fn rows(path: &Path) -> io::Result<Vec<StringRecord>> {
    let records = Reader::from_reader(regular_file::open(path)?).into_records();
    Ok(records.collect::<Result<_, _>>()?)
}
