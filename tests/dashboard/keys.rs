//! The keys of the dashboard.

use crate::runs::{Program, weights};
use tch_lightning::checkpoint::Checkpoint;

#[test]
fn stop_key_saves_a_checkpoint_that_resumes() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal("fit --dashboard --wait-in 12");
    terminal.wait_for_text("step 12");
    terminal.press("s");
    terminal.wait_for_text("stops after this batch");
    program.let_go();
    assert_eq!(terminal.end().code(), Some(130));
    // the batch in which the run waited is finished
    let name = "epoch=1-step=13.ckpt";
    assert!(program.checkpoints().contains(&name.to_owned()), "{:?}", program.checkpoints());
    let path = program.run_folder().join("checkpoints").join(name);
    assert_eq!(Checkpoint::read(&path).unwrap().metadata.global_step, 13);
    assert!(terminal.text().contains(name), "{}", terminal.text());
    // the rest of the run is that of a run that was not stopped
    program.in_pipes(&format!("fit --ckpt-path {}", path.display()));
    let uninterrupted = Program::new();
    uninterrupted.in_pipes("fit");
    let last = "checkpoints/epoch=2-step=30.ckpt";
    let resumed = program.path("lightning_logs/version_1").join(last);
    assert_eq!(weights(&resumed), weights(&uninterrupted.run_folder().join(last)));
}

#[test]
fn checkpoint_key_saves_and_trains_on() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal("fit --dashboard --wait-in 12");
    terminal.wait_for_text("step 12");
    terminal.press("c");
    terminal.wait_for_text("saves a checkpoint after this batch");
    program.let_go();
    assert!(terminal.end().success());
    let names = program.checkpoints();
    assert_eq!(names, ["epoch=1-step=13.ckpt", "epoch=2-step=30.ckpt"]);
    let saved = Checkpoint::read(&program.run_folder().join("checkpoints/epoch=1-step=13.ckpt")).unwrap();
    assert_eq!(saved.metadata.global_step, 13);
}

#[test]
fn validate_key_validates_after_the_batch() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal_of("fit --dashboard --wait-in 12", 70, 100);
    terminal.wait_for_text("step 12");
    terminal.press("v");
    terminal.wait_for_text("validates after this batch");
    program.let_go();
    assert!(terminal.end().success());
    let text = terminal.text();
    let validated: Vec<&str> =
        text.lines().filter_map(|line| line.trim_end().strip_prefix("validated after step ")).collect();
    assert_eq!(validated, ["10", "13", "20", "30"], "{text}");
}

#[test]
fn close_key_trains_on_with_the_bar() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal("fit --dashboard --wait-in 12");
    terminal.wait_for_text("step 12");
    terminal.press("q");
    terminal.wait_for("the closed screen", |_| !terminal.screen().alternate_screen());
    assert!(terminal.edits_lines());
    let (status, written) = {
        program.let_go();
        terminal.finish()
    };
    assert!(status.success());
    let written = String::from_utf8_lossy(&written).into_owned();
    let (_, after) = written.rsplit_once("\u{1b}[?1049l").unwrap();
    assert!(after.contains("a line of println!"), "{after}");
    assert!(after.contains("epoch 1/2 ") && after.contains("epoch 2/2  step    30"), "{after}");
}

#[test]
fn ctrl_c_ends_the_run_as_without_a_dashboard() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal_of("fit --dashboard --wait-in 12", 70, 100);
    terminal.wait_for_text("step 12");
    terminal.press("\u{3}");
    terminal.wait_for("the closed screen", |_| !terminal.screen().alternate_screen());
    program.let_go();
    assert_eq!(terminal.end().code(), Some(130));
    assert!(terminal.text().contains("SIGINT"), "{}", terminal.text());
}

#[test]
fn keys_choose_the_metric_and_the_help() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal_of("fit --dashboard --wait-in 25", 12, 40);
    terminal.wait_for("the first chart", |text| text.contains("loss  train") && text.contains("step 25"));
    terminal.press("\u{1b}[C");
    terminal.wait_for("the second chart", |text| text.contains("val_acc") && !text.contains("loss  train"));
    terminal.press("?");
    terminal.wait_for("the help", |text| text.contains("Keys") && text.contains("save a checkpoint"));
    terminal.press("?");
    terminal.wait_for("the chart again", |text| !text.contains("Keys"));
    program.let_go();
    assert!(terminal.end().success());
}
