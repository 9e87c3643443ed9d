//! The numbered folder of a run.

use crate::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder under the root in which every run has one of its own.
pub(crate) const LOGS: &str = "lightning_logs";
const VERSION: &str = "version_";

pub(crate) struct LogDir {
    logs: PathBuf,
    made: Option<PathBuf>,
}

impl LogDir {
    pub(crate) fn under(root: &Path) -> Self {
        Self { logs: root.join(LOGS), made: None }
    }

    pub(crate) fn made(&self) -> Option<&Path> {
        self.made.as_deref()
    }

    /// Makes the folder with the next number, once.
    pub(crate) fn make(&mut self) -> Result<&Path, Error> {
        if self.made.is_none() {
            let made = next(&self.logs).map_err(|source| Error::Io {
                what: "can't make a folder for this run in",
                path: self.logs.clone(),
                source,
            })?;
            self.made = Some(made);
        }
        Ok(self.made.as_deref().unwrap_or(&self.logs))
    }
}

fn next(logs: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(logs)?;
    let mut number = versions(logs).last().map_or(0, |(number, _)| number + 1);
    loop {
        let folder = logs.join(format!("{VERSION}{number}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            // another run took the number
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The runs' folders with their numbers, the oldest first.
pub(crate) fn versions(logs: &Path) -> Vec<(usize, PathBuf)> {
    let entries = fs::read_dir(logs).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let number = entry.file_name().to_str()?.strip_prefix(VERSION)?.parse().ok()?;
        Some((number, entry.path()))
    });
    let mut versions: Vec<(usize, PathBuf)> = numbered.collect();
    versions.sort();
    versions
}
