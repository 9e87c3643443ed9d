//! The `runs`, `report` and `watch` commands: a table of runs, a page about them, and a screen that follows one.

use crate::context::LOGS;
use crate::messages::warning;
use crate::report::{LoggedRun, ReportError, runs_in, runs_of, runs_table, write_report};
use anyhow::Result;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::path::PathBuf;

// not the name of a hyperparameter
const DIR: &str = "runs.dir";

const RUN_DIRS: &str = "report.run_dirs";
const OUTPUT: &str = "report.output";

const WATCHED: &str = "watch.run_dir";

pub(super) fn runs_command() -> Command {
    let dir = Arg::new(DIR).value_name("DIR").value_parser(value_parser!(PathBuf)).default_value(LOGS);
    Command::new("runs")
        .about("List runs: how each ended, its best value, and the settings in which they differ")
        .arg(dir.help("The folder with the runs"))
}

pub(super) fn report_command() -> Command {
    let run_dirs =
        Arg::new(RUN_DIRS).value_name("RUN_DIR").value_parser(value_parser!(PathBuf)).num_args(1..).required(true);
    let output = Arg::new(OUTPUT).short('o').long("output").value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new("report")
        .about("Write a page about runs: curves, histograms, images, settings")
        .arg(run_dirs.help("The folder of each run, or a folder with runs"))
        .arg(output.default_value("report.html").help("The HTML file"))
}

pub(super) fn watch_command() -> Command {
    let dir = Arg::new(WATCHED).value_name("RUN_DIR").value_parser(value_parser!(PathBuf)).default_value(LOGS);
    Command::new("watch")
        .about("Follow a run of another process on a full screen: curves, epochs, progress")
        .arg(dir.help("The folder of the run, or a folder with runs, of which the newest is shown"))
}

/// Shows the run of `watch`.
#[cfg(feature = "dashboard")]
pub(super) fn watch(arguments: &ArgMatches) -> Result<()> {
    Ok(crate::report::watch(arguments.get_one::<PathBuf>(WATCHED).cloned().unwrap_or_default())?)
}

#[cfg(not(feature = "dashboard"))]
pub(super) fn watch(_: &ArgMatches) -> Result<()> {
    anyhow::bail!("`watch` is not part of this program: build it with the feature `dashboard` of tch-lightning")
}

/// Writes the page of `report`, and returns its path.
pub(super) fn report(arguments: &ArgMatches) -> Result<String> {
    let folders = || arguments.get_many::<PathBuf>(RUN_DIRS).into_iter().flatten();
    let runs = runs_of(folders())?;
    if let Some(path) = folders().next().filter(|_| runs.iter().all(LoggedRun::is_empty)) {
        return Err(ReportError::NoRuns { path: path.clone() }.into());
    }
    let path = arguments.get_one::<PathBuf>(OUTPUT).cloned().unwrap_or_default();
    warn_of_problems(&runs);
    write_report(&runs, &path)?;
    Ok(path.display().to_string())
}

/// Returns the table of `runs`.
pub(super) fn runs(arguments: &ArgMatches) -> Result<String> {
    let path = arguments.get_one::<PathBuf>(DIR).cloned().unwrap_or_default();
    let mut runs = runs_in(&path)?;
    if runs.is_empty() {
        // the folder of one run
        runs = runs_of([&path])?;
        if runs.iter().all(LoggedRun::is_empty) {
            return Err(ReportError::NoRuns { path }.into());
        }
    }
    warn_of_problems(&runs);
    Ok(runs_table(&runs))
}

fn warn_of_problems(runs: &[LoggedRun]) {
    for problem in runs.iter().flat_map(LoggedRun::problems) {
        warning!("{problem}");
    }
}
