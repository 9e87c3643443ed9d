//! What runs have logged: a table of runs, and a page about one or several of them.
//!
//! The generated program's `runs` and `report` commands print and write them. They read the files in a run's folder, so that they
//! also work for a run of another program, for one that has not ended yet, and for one that was killed.
//!
//! ```no_run
//! use tch_lightning::report;
//!
//! let runs = report::runs_in("lightning_logs")?;
//! println!("{}", report::runs_table(&runs));
//! # Ok::<(), tch_lightning::report::ReportError>(())
//! ```

mod chart;
mod histograms;
mod media;
mod metrics;
mod page;
mod rows;
mod run;
mod scale;
mod settings;
mod table;
#[cfg(feature = "dashboard")]
mod tail;
#[cfg(feature = "dashboard")]
mod watch;

pub use metrics::Series;
pub use run::{BestValue, LoggedRun, RunState};
pub use table::runs_table;
#[cfg(feature = "dashboard")]
pub use watch::watch;

use crate::atomic_file;
use crate::context::{LOGS, versions};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Runs could not be read, or a page could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// There is not a folder with this path, or it cannot be read.
    #[error("cannot read the runs in {}: {source}", path.display())]
    Folder {
        /// The path.
        path: PathBuf,
        /// Why. Its sentence is part of this one, so that it is not a [`source`](std::error::Error::source).
        source: std::io::Error,
    },
    /// A page could not be written.
    #[error("cannot write the report {}: {source}", path.display())]
    Page {
        /// The file.
        path: PathBuf,
        /// Why. Its sentence is part of this one, so that it is not a [`source`](std::error::Error::source).
        source: std::io::Error,
    },
    /// The screen of [`watch`] could not be shown.
    #[cfg(feature = "dashboard")]
    #[error("cannot show the run on this terminal: {source}")]
    Screen {
        /// Why. Its sentence is part of this one, so that it is not a [`source`](std::error::Error::source).
        source: std::io::Error,
    },
    /// A folder that was to contain runs does not.
    #[error("{} does not contain runs: name a folder such as lightning_logs, with folders such as version_0", path.display())]
    NoRuns {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads the runs in a folder, oldest first: those in its `version_…` folders and in folders with the files of a run. For a folder that
/// contains `lightning_logs`, these are the runs in there.
///
/// A file that cannot be read is one of the run's [`problems`](LoggedRun::problems).
///
/// # Errors
/// If the folder cannot be read.
pub fn runs_in(folder: impl AsRef<Path>) -> Result<Vec<LoggedRun>, ReportError> {
    let folder = folder.as_ref();
    let logs = folder.join(LOGS);
    let folder = if logs.is_dir() { &logs } else { folder };
    let failed = |source| ReportError::Folder { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let versions: Vec<PathBuf> = versions(folder).into_iter().map(|(_, path)| path).collect();
    let named = entries.flatten().map(|entry| entry.path()).filter(|path| !versions.contains(path));
    let mut named: Vec<LoggedRun> = named.filter(|path| run::has_files(path)).map(LoggedRun::found).collect();
    let versions = versions.into_iter().filter(|path| path.is_dir());
    let mut runs: Vec<LoggedRun> = versions.map(LoggedRun::found).collect();
    named.sort_by(|a, b| a.started().cmp(&b.started()).then_with(|| a.folder().cmp(b.folder())));
    if !named.is_empty() {
        runs.append(&mut named);
        // without a time, runs stay in the order of their numbers
        if runs.iter().all(|run| run.started().is_some()) {
            runs.sort_by_key(LoggedRun::started);
        }
    }
    Ok(runs)
}

/// Reads the run in each folder, or the runs in a folder that contains runs, such as `lightning_logs`.
///
/// # Errors
/// If a folder cannot be read.
pub fn runs_of(folders: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Vec<LoggedRun>, ReportError> {
    let mut runs = Vec::new();
    for folder in folders {
        let folder = folder.as_ref();
        let inner = if run::has_files(folder) { Vec::new() } else { runs_in(folder)? };
        if inner.is_empty() {
            runs.push(LoggedRun::read(folder)?);
        } else {
            runs.extend(inner);
        }
    }
    Ok(runs)
}

/// Writes a page about runs: one HTML file that needs nothing else, not even a network.
///
/// It shows curves of every metric, runs over each other, with training and validation of a metric in one chart; learning rates,
/// histograms, images, figures, tables and texts; the steps per second; hyperparameters and configuration, those in which the runs differ
/// first; layers, overridden hooks and the environment. A line of any number of rows has the smallest and the largest value of each
/// of a few hundred intervals, so that the page stays small.
///
/// # Errors
/// If the file cannot be written. An existing one then stays unchanged.
pub fn write_report(runs: &[LoggedRun], path: impl AsRef<Path>) -> Result<(), ReportError> {
    let path = path.as_ref();
    let page = page::page(runs).into_string();
    write_page(path, page.as_bytes()).map_err(|source| ReportError::Page { path: path.to_owned(), source })
}

/// Writes a page as a whole, into the file that a symbolic link names; or into what is not a regular file, such as a pipe.
fn write_page(path: &Path, page: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            fs::OpenOptions::new().write(true).open(path)?.write_all(page)
        }
        _ => {
            atomic_file::make_folders(atomic_file::folder_of(path))?;
            atomic_file::write(path, |file| file.write_all(page))
        }
    }
}
