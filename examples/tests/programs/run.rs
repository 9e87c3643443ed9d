//! Running a program, and reading what it leaves.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

/// Runs a program in a folder.
pub fn run(program: &str, folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new(program);
    // tests run in parallel, and would compete for the cores
    command.env("OMP_NUM_THREADS", "1");
    command.current_dir(folder).args(arguments.split_whitespace()).output().unwrap()
}

/// Runs a program, which must succeed, and returns its stdout and stderr.
pub fn succeed(program: &str, folder: &Path, arguments: &str) -> (String, String) {
    let output = run(program, folder, arguments);
    let (said, log) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "`{program} {arguments}` failed: {said}{log}");
    (said, log)
}

pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Returns the value of a metric in a table that a program printed.
pub fn metric(table: &str, name: &str) -> f64 {
    let row = table.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name}: {table}"));
    row.trim_matches(['|', ' ']).rsplit(' ').next().unwrap().parse().unwrap()
}

/// Returns the rows of a CSV file, by the names of the columns.
pub fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// Returns the values of a column of the metrics of a run, such as `version_0`.
pub fn logged(folder: &Path, run: &str, column: &str) -> Vec<f64> {
    let rows = rows(&folder.join("lightning_logs").join(run).join("metrics.csv"));
    assert!(rows.iter().all(|row| row.contains_key(column)), "no {column}");
    rows.iter().filter_map(|row| row[column].parse().ok()).collect()
}
