//! The table on stderr, and the same numbers in `run.json`.

use serde_json::{Value, json};
use std::process::Command;

/// Returns what a `fit` of `tests/report/program.rs` writes to stderr, and its `run.json`.
fn fit(arguments: &[&str]) -> (String, Value) {
    run(Command::new(env!("CARGO_BIN_EXE_reported")).args(["fit"]).args(arguments))
}

fn run(command: &mut Command) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    command.env("OMP_NUM_THREADS", "1").current_dir(&folder);
    let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
    // a run that logs nothing does not have a folder
    let run =
        std::fs::read(folder.path().join("lightning_logs/version_0/run.json")).unwrap_or_else(|_| b"null".to_vec());
    (stderr, serde_json::from_slice(&run).unwrap())
}

/// Returns the cells of the row that begins with a word.
fn row<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let cells = |line: &'a str| line.trim_matches('|').split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    let mut rows = text.lines().map(|line| cells(line).collect::<Vec<_>>());
    rows.find(|row| row.first() == Some(&first)).unwrap_or_else(|| panic!("{first} is not in {text}"))
}

// two layers, from 2 to 8 and from 8 to 1, and batches of 4 rows: 2·4·2·8 and 2·4·8 operations, those of the gradients of the weights,
// and of the second layer's input
const HIDDEN: u64 = 128;
const HEAD: u64 = 64;
const STEP: u64 = 2 * HIDDEN + 3 * HEAD;

#[test]
fn summary_has_the_shapes_and_the_operations_of_the_first_batch() {
    let (stderr, run) = fit(&["--max-epochs", "1"]);
    assert_eq!(row(&stderr, "Layer"), ["Layer", "Tensors", "Elements", "In", "Out", "FLOPs"]);
    assert_eq!(row(&stderr, "hidden"), ["hidden", "weight [8, 2], bias [8]", "24", "[4, 2]", "[4, 8]", "128"]);
    assert_eq!(row(&stderr, "head"), ["head", "weight [1, 8], bias [1]", "9", "[4, 8]", "[4, 1]", "64"]);
    assert!(stderr.contains("33 trainable parameters, 0.00 MB\n"), "{stderr}");
    let flops = format!("{STEP} floating-point operations in the forward and backward pass of a batch of 4 samples\n");
    assert!(stderr.contains(&flops), "{stderr}");
    assert_eq!(stderr.matches("trainable parameters").count(), 1);
    assert_eq!(run["training_step"], json!({ "samples": 4, "flops": STEP }));
    let calls: Vec<_> = run["layers"].as_array().unwrap().iter().map(|layer| &layer["call"]).collect();
    assert_eq!(calls[0]["input"], json!([4, 2]));
    assert_eq!(calls[1], &json!({ "layer": "head", "input": [4, 8], "output": [4, 1], "flops": HEAD, "calls": 1 }));
}

#[test]
fn summary_has_a_table_of_several_parameter_groups() {
    let (stderr, _) = fit(&["--max-epochs", "1"]);
    assert!(!stderr.contains("Selection"), "{stderr}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_reported"));
    let (stderr, _) = run(command.env("NO_DECAY", "1").args(["fit", "--max-epochs", "1"]));
    let columns = ["Group", "Selection", "Algorithm", "lr", "weight_decay", "Parameters", "Elements"];
    assert_eq!(row(&stderr, "Group"), columns);
    let all = "all parameters, 2 dimensions or more";
    assert_eq!(row(&stderr, "1"), ["1", all, "SGD", "0.1", "0.5", "2", "24"]);
    assert_eq!(row(&stderr, "2"), ["2", "all parameters, below 2 dimensions", "SGD", "0.1", "0.0", "2", "9"]);
    assert_eq!(stderr.matches("Selection").count(), 1);
}

#[test]
fn summary_of_a_run_without_training_has_no_shapes() {
    let (stderr, _) = fit(&["--max-epochs", "0"]);
    assert_eq!(row(&stderr, "Layer"), ["Layer", "Tensors", "Elements"]);
    assert!(!stderr.contains("floating-point"), "{stderr}");
}

#[test]
fn summary_is_printed_once_in_a_run_that_fails() {
    let (stderr, run) = fit(&["--fault", "failure"]);
    assert_eq!(stderr.matches("trainable parameters").count(), 1);
    assert_eq!((&run["outcome"], &run["training_step"]["flops"]), (&json!("failed"), &json!(STEP)));
}
