//! A few of the kills of `make kill-test`.
#![allow(missing_docs)]

use std::process::Command;

#[test]
fn run_survives_kills() {
    killed(&[]);
}

#[test]
fn run_with_averaged_weights_survives_kills() {
    killed(&["--averages"]);
}

fn killed(arguments: &[&str]) {
    let program = env!("CARGO_BIN_EXE_kill_test");
    let output = Command::new(program).args(["--kills", "5", "--seed", "3"]).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().last(), Some("5 of 5 kills survived"), "{said}{failed}");
}
