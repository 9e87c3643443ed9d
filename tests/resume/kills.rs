//! A few of the kills of `make kill-test`.
#![allow(missing_docs)]

use std::process::Command;

#[test]
fn run_survives_kills() {
    killed(5, &[]);
}

#[test]
fn run_with_averaged_weights_survives_kills() {
    killed(5, &["--averages"]);
}

#[test]
fn run_of_two_processes_survives_kills() {
    killed(3, &["--devices", "2"]);
}

fn killed(kills: usize, arguments: &[&str]) {
    let program = env!("CARGO_BIN_EXE_kill_test");
    let output =
        Command::new(program).args(["--kills", &kills.to_string(), "--seed", "3"]).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().last(), Some(format!("{kills} of {kills} kills survived").as_str()), "{said}{failed}");
}
