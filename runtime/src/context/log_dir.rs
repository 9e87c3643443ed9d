//! The numbered folder of a run.

use super::checkpoint_folders;
use crate::error::Error;
use crate::whole_file::{make_folder, make_folders, remove_abandoned};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder under the root in which every run has one of its own.
pub(crate) const LOGS: &str = "lightning_logs";
const VERSION: &str = "version_";
/// How many folders of earlier runs are tidied before a run.
const TIDIED: usize = 100;

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
    make_folders(logs)?;
    let versions = versions(logs);
    // no later run writes to the folder of one that was killed
    for (_, folder) in versions.iter().rev().take(TIDIED) {
        remove_abandoned(folder);
        checkpoint_folders(folder).iter().for_each(|folder| remove_abandoned(folder));
    }
    let mut number = versions.last().map_or(0, |(number, _)| number + 1);
    loop {
        let folder = logs.join(format!("{VERSION}{number}"));
        match make_folder(&folder) {
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
