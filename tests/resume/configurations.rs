//! A few of the configurations of `make resume-test`.
#![allow(missing_docs)]

use std::process::Command;

#[test]
fn random_configurations_are_resumed_as_they_were() {
    let program = env!("CARGO_BIN_EXE_random_resume");
    let output = Command::new(program).args(["--configurations", "100", "--seed", "1"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("100 of 100 configurations resumed as they were"), "{said}");
}
