//! The numbered folder of a run.

use super::checkpoint_folders;
use crate::atomic_file::{make_folder, make_folders, remove_abandoned, write};
use crate::file_error::FileError;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The folder under the root that contains a folder for each run.
pub(crate) const LOGS: &str = "lightning_logs";
const VERSION: &str = "version_";
/// The resolved configuration of a run of a generated program, in the folder of the run.
pub(crate) const CONFIG: &str = "config.yaml";
/// The number of earlier runs whose temporary files are removed before a run.
const TIDIED: usize = 100;

/// Returns the text of a run's `config.yaml`; `None` if it cannot be written.
pub(crate) type ConfigurationFile = Box<dyn Fn() -> Option<String>>;

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

    /// Takes the folder of another process of the run.
    pub(crate) fn set(&mut self, folder: PathBuf) {
        self.made = Some(folder);
    }

    /// Creates the folder with the next number, once, with the configuration as its first file.
    pub(crate) fn make(&mut self, configuration: Option<&ConfigurationFile>) -> Result<&Path, FileError> {
        if self.made.is_none() {
            let made = next(&self.logs).map_err(|source| FileError {
                what: "cannot create a folder for this run in",
                path: self.logs.clone(),
                source,
            })?;
            if let Some(text) = configuration.and_then(|text| text()) {
                let path = made.join(CONFIG);
                let written = write(&path, |file| file.write_all(text.as_bytes()));
                written.map_err(|source| FileError { what: "cannot save the configuration", path, source })?;
            }
            self.made = Some(made);
        }
        Ok(self.made.as_deref().unwrap_or(&self.logs))
    }
}

fn next(logs: &Path) -> std::io::Result<PathBuf> {
    make_folders(logs)?;
    let versions = versions(logs);
    // no later run writes to the folder of a killed run
    for (_, folder) in versions.iter().rev().take(TIDIED) {
        remove_abandoned(folder);
        checkpoint_folders(folder).iter().for_each(|folder| remove_abandoned(folder));
    }
    // a folder with the largest number was not created by a run
    let numbers = versions.iter().rev().filter_map(|(number, _)| number.checked_add(1));
    for number in numbers.max().unwrap_or(0)..=usize::MAX {
        let folder = logs.join(format!("{VERSION}{number}"));
        match make_folder(&folder) {
            Ok(()) => return Ok(folder),
            // another run took the number
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::new(ErrorKind::AlreadyExists, "all numbers of folders are taken"))
}

/// Returns the folders of runs with their numbers, oldest first.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_dir_has_the_next_number() {
        let root = tempfile::tempdir().unwrap();
        let make = |logs: &str| {
            LogDir::under(&root.path().join(logs)).make(None).map(|folder| folder.file_name().unwrap().to_owned())
        };
        let have =
            |logs: &str, folder: &str| fs::create_dir_all(root.path().join(logs).join(LOGS).join(folder)).unwrap();
        assert_eq!(make("a").unwrap(), "version_0");
        have("a", "version_7");
        have("a", "version_x");
        assert_eq!(make("a").unwrap(), "version_8");
        // it has no successor
        have("a", "version_18446744073709551615");
        assert_eq!(make("a").unwrap(), "version_9");
        have("b", "version_18446744073709551614");
        assert_eq!(make("b").unwrap(), "version_18446744073709551615");
        let said = make("b").unwrap_err().to_string();
        assert!(said.ends_with("lightning_logs: all numbers of folders are taken"), "{said}");
    }
}
