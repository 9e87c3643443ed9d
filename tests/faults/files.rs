//! Logs and checkpoints that cannot be written.

use crate::child::{Program, sentence, text};
use std::fs;

#[test]
fn full_disk_leaves_complete_rows() {
    let program = Program::new();
    let output = program.run_on_a_full_disk(
        4,
        "fit --width 1 --max-epochs 100 --log-every-n-steps 1 --enable-checkpointing false --enable-progress-bar false",
    );
    assert_eq!(output.status.code(), Some(1));
    let said = sentence(&text(output.stderr));
    let (location, cause) = said.split_once(": ").unwrap();
    assert!(location.starts_with("the logger `csv` failed in `fit` at epoch "), "{said}");
    assert_eq!(cause, "cannot write the log ./lightning_logs/version_0/metrics.csv: File too large (os error 27)");
    let log = fs::read_to_string(program.path("lightning_logs/version_0/metrics.csv")).unwrap();
    let columns = log.lines().next().unwrap().split(',').count();
    assert!(log.len() > 1024 && log.len() <= 2048 && log.ends_with('\n'), "{log}");
    assert!(log.lines().all(|row| row.split(',').count() == columns), "{log}");
}

#[test]
fn full_disk_leaves_existing_checkpoints() {
    let program = Program::new();
    program.succeed("fit --width 1 --max-epochs 1");
    let path = program.path("lightning_logs/version_0/checkpoints/epoch=0-step=5.ckpt");
    let before = fs::read(&path).unwrap();
    let output = program.run_on_a_full_disk(4, "fit --width 100 --max-epochs 1");
    assert_eq!(output.status.code(), Some(1));
    let said = sentence(&text(output.stderr));
    assert!(
        said.contains("lightning_logs/version_1/checkpoints/epoch=0-step=5.ckpt") && said.ends_with("(os error 27)"),
        "{said}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    let left: Vec<_> =
        fs::read_dir(program.path("lightning_logs/version_1/checkpoints")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn folder_that_cannot_be_created_is_named() {
    let program = Program::new();
    fs::write(program.path("lightning_logs"), "a file").unwrap();
    assert_eq!(
        program.refuse("fit --width 1"),
        "cannot create a folder for this run in ./lightning_logs: File exists (os error 17)"
    );
    assert_eq!(fs::read_to_string(program.path("lightning_logs")).unwrap(), "a file");
}
