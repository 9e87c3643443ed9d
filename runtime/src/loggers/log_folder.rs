//! The folder of a logger that writes files.

use super::RunStart;
use crate::atomic_file;
use crate::file_error::FileError;
use std::path::{Path, PathBuf};

/// A folder that the user names, or else that of the run.
#[derive(Debug, Default)]
pub(super) struct LogFolder {
    is_named: bool,
    path: Option<PathBuf>,
}

impl LogFolder {
    pub(super) fn named(path: PathBuf) -> Self {
        Self { is_named: true, path: Some(path) }
    }

    /// Whether the folder is that of the run.
    pub(super) fn is_of_run(&self) -> bool {
        !self.is_named
    }

    /// Returns the folder: `None` before the first run of a logger that writes into the folder of the run.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the path of a file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.as_deref().unwrap_or(Path::new("")).join(name)
    }

    /// Returns the number of the run, or the name of the folder that the user named.
    pub(super) fn version(&self) -> Option<String> {
        let name = self.path.as_ref()?.file_name()?.to_string_lossy();
        Some(name.strip_prefix("version_").unwrap_or(&name).to_owned())
    }

    /// Begins a run. Returns whether the folder is another one than before.
    pub(super) fn begin(&mut self, run: &RunStart) -> Result<bool, FileError> {
        let is_other = self.is_of_run() && self.path != run.log_dir;
        if is_other {
            self.path.clone_from(&run.log_dir);
        }
        self.make()?;
        Ok(is_other)
    }

    /// Makes the folder if it is missing.
    pub(super) fn make(&self) -> Result<(), FileError> {
        let folder = self.path.as_deref().unwrap_or(Path::new(""));
        atomic_file::make_folders(folder).map_err(|source| FileError {
            what: "cannot make the folder of the log",
            path: folder.to_owned(),
            source,
        })
    }
}
