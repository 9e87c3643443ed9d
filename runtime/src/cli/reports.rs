//! The `runs` command: a table of runs.

use crate::messages::warning;
use crate::report::{LoggedRun, ReportError, runs_in, runs_table};
use anyhow::Result;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::path::PathBuf;

// not the name of a hyperparameter
const DIR: &str = "runs.dir";

pub(super) fn runs_command() -> Command {
    let dir = Arg::new(DIR).value_name("DIR").value_parser(value_parser!(PathBuf)).default_value("lightning_logs");
    Command::new("runs")
        .about("List runs: how each ended, its best value, and the settings in which they differ")
        .arg(dir.help("The folder with the runs"))
}

/// Returns the table of `runs`.
pub(super) fn runs(arguments: &ArgMatches) -> Result<String> {
    let path = arguments.get_one::<PathBuf>(DIR).cloned().unwrap_or_default();
    let runs = runs_in(&path)?;
    if runs.is_empty() {
        return Err(ReportError::NoRuns { path }.into());
    }
    warn_of_problems(&runs);
    Ok(runs_table(&runs))
}

fn warn_of_problems(runs: &[LoggedRun]) {
    for problem in runs.iter().flat_map(LoggedRun::problems) {
        warning!("{problem}");
    }
}
