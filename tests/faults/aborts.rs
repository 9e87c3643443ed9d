//! A program that is built with `panic = "abort"` can catch no panic: it says where the run was when it ends.

use crate::child::{Program, sentence, text};
use std::os::unix::process::ExitStatusExt;

const SIGABRT: i32 = 6;

#[test]
fn shape_error_is_one_sentence_before_the_program_aborts() {
    let output = Program::new().run_aborting("fit --width 1 --fault shape --max-epochs 1 --num-sanity-val-steps 0");
    assert_eq!(output.status.signal(), Some(SIGABRT), "{output:?}");
    let log = text(output.stderr);
    let said = sentence(&log);
    let expected = "`training_step` failed in `fit` at epoch 0, batch 0: mat1 and mat2 shapes cannot be multiplied (2x4 \
                    and 2x4) (panicked at ";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("tests/faults/program.rs:"), "{said}");
    let advice = ". The program is built with `panic = \"abort\"`, so it ends here, without `on_exception` and without \
                  a checkpoint: remove that line from the profile in Cargo.toml, or call the methods of tensors that \
                  start with `f_` and return errors";
    assert!(said.ends_with(advice), "{said}");
    let warnings =
        log.lines().filter(|line| line.starts_with("warning: the program is built with `panic = \"abort\"`"));
    assert_eq!(warnings.count(), 1, "{log}");
}

#[test]
fn run_without_a_panic_ends_normally() {
    let output = Program::new().run_aborting("fit --width 1 --max-epochs 1");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn program_that_unwinds_is_not_warned() {
    let output = Program::new().run("fit --width 1 --fault shape --max-epochs 1 --num-sanity-val-steps 0");
    let log = text(output.stderr);
    assert!(!log.contains("abort"), "{log}");
    assert!(sentence(&log).starts_with("`training_step` failed in `fit` at epoch 0, batch 0: mat1 and mat2 shapes"));
}
