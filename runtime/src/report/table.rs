//! The table of runs.

use super::run::LoggedRun;
use super::settings::{differs, names, shown};
use crate::callbacks::MonitorMode;
use crate::number::Number;
use crate::table;
use comfy_table::CellAlignment;
use std::time::Duration;

/// The longest text of a setting.
const MOST_LETTERS: usize = 60;

/// Returns a table of runs, one a row: how each ended, its epochs, steps and time, the best value of its monitored metric, and the
/// hyperparameters in which the runs differ.
pub fn runs_table(runs: &[LoggedRun]) -> String {
    let differing = differing(runs);
    let mut table = table::with_header(["Run", "Verb", "State", "Epochs", "Steps", "Time", &best_title(runs)]);
    let mut header: Vec<String> =
        table.header().into_iter().flat_map(|row| row.cell_iter()).map(comfy_table::Cell::content).collect();
    header.extend(differing.iter().map(|name| in_cell(name)));
    table.set_header(header);
    for run in runs {
        let mut row = row(run, has_one_monitor(runs));
        row.extend(differing.iter().map(|name| in_cell(&shown(run.settings.get(*name)))));
        table.add_row(row);
    }
    for index in 3..7 + differing.len() {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Returns a text for a cell: a long one is cut, so that the table stays readable, and control characters do not reach the terminal.
fn in_cell(text: &str) -> String {
    crate::shown::shown(text, MOST_LETTERS)
}

/// Returns the names of the settings in which runs differ. The environment and the checkpoint that a run starts from, which a saved
/// configuration has as well, are not settings.
pub(super) fn differing(runs: &[LoggedRun]) -> Vec<&str> {
    let settings = || runs.iter().map(|run| &run.settings);
    let is_setting = |name: &&str| *name != "ckpt_path" && !name.starts_with("environment.");
    names(settings()).into_iter().filter(is_setting).filter(|name| differs(name, settings())).collect()
}

/// Whether the best values of the runs are of one metric.
pub(super) fn has_one_monitor(runs: &[LoggedRun]) -> bool {
    let mut metrics = runs.iter().filter_map(LoggedRun::best).map(|best| (best.metric, best.mode));
    let first = metrics.next();
    metrics.all(|metric| Some(metric) == first)
}

/// Returns the title of the column of best values.
pub(super) fn best_title(runs: &[LoggedRun]) -> String {
    match runs.iter().find_map(LoggedRun::best).filter(|_| has_one_monitor(runs)) {
        Some(best) => {
            let mode = if best.mode == MonitorMode::Min { "min" } else { "max" };
            format!("{} ({mode})", best.metric)
        }
        None => "Best".to_owned(),
    }
}

/// Returns the cells of a run before its settings.
pub(super) fn row(run: &LoggedRun, has_one_monitor: bool) -> Vec<String> {
    let or_empty = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
    let best = run.best().map(|best| {
        if has_one_monitor { Number(best.value).to_string() } else { format!("{} {}", best.metric, Number(best.value)) }
    });
    vec![
        run.name(),
        run.file.as_ref().map(|file| file.stage.clone()).unwrap_or_default(),
        run.state().as_str().to_owned(),
        or_empty(run.epochs()),
        or_empty(run.steps()),
        run.duration().map(elapsed).unwrap_or_default(),
        best.unwrap_or_default(),
    ]
}

/// Formats a time with two units: `1h 12m`.
pub(super) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{:.1}s", time.as_secs_f64()),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_short_and_without_control_characters() {
        assert_eq!(in_cell("\u{1b}[31m損失\n"), "\\u{1b}[31m損失\\n");
        assert_eq!(in_cell(&"損".repeat(61)), format!("{}…", "損".repeat(60)));
    }

    #[test]
    fn elapsed_time_has_two_units() {
        let shown = [0.25, 75.0, 3_725.0, 180_000.0].map(|seconds| elapsed(Duration::from_secs_f64(seconds)));
        assert_eq!(shown, ["0.2s", "1m 15s", "1h 2m", "2d 2h"]);
    }
}
