//! `watch` on runs of other processes.

use crate::runs::{Program, column};
use tests::pseudo_terminal::PseudoTerminal;

#[test]
fn watch_follows_a_running_run() {
    let program = Program::new();
    let mut run = program.in_the_background("fit --wait-in 12");
    let run_folder = program.run_folder();
    while !std::fs::read_to_string(run_folder.join("metrics.csv")).is_ok_and(|text| text.contains("\n11,")) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut terminal = program.on_a_terminal("watch lightning_logs");
    let losses = column(&run_folder, "val_loss");
    assert_eq!(losses.len(), 1);
    // a screen is read while it is drawn
    let shown = ["Slow", "lightning_logs/version_0", "running", "train_loss", "1/2", "step 12", &losses[0]];
    terminal.wait_for("the running run", |text| shown.iter().all(|part| text.contains(part)));
    // keys that steer a run do nothing here
    terminal.press("scv");
    program.let_go();
    assert!(run.0.wait().unwrap().success());
    let losses = column(&run_folder, "val_loss");
    assert_eq!(losses.len(), 3);
    let shown = losses.iter().map(String::as_str).chain(["finished", "step 30", "`max_epochs` of 3 was reached"]);
    let shown: Vec<&str> = shown.collect();
    terminal.wait_for("the end of the run", |text| shown.iter().all(|part| text.contains(part)));
    terminal.press("q");
    assert!(terminal.end().success());
    assert!(!terminal.screen().alternate_screen() && terminal.edits_lines());
    assert!(terminal.text().contains(&losses[2]), "{}", terminal.text());
    assert_eq!(program.checkpoints(), ["epoch=2-step=30.ckpt"]);
}

#[test]
fn watch_prints_a_snapshot_into_a_pipe() {
    let program = Program::new();
    program.in_pipes("fit");
    let run_folder = program.run_folder();
    let text = String::from_utf8(program.in_pipes("watch lightning_logs/version_0").stdout).unwrap();
    assert!(!text.contains('\u{1b}'));
    for name in ["val_loss", "val_acc"] {
        let values = column(&run_folder, name);
        assert!(text.contains(name) && values.iter().all(|value| text.contains(value)), "{values:?}\n{text}");
    }
    assert!(text.contains("finished") && text.contains("step 30"), "{text}");
    // the newest run, and JSON lines alone
    program.in_pipes("fit --logger jsonl --max-epochs 1");
    let text = String::from_utf8(program.in_pipes("watch").stdout).unwrap();
    assert!(
        text.contains("lightning_logs/version_1") && text.contains("val_loss") && text.contains("step 10"),
        "{text}"
    );
}

#[test]
fn watch_shows_how_a_run_ended() {
    let program = Program::new();
    let snapshot =
        |run: &str| String::from_utf8(program.in_pipes(&format!("watch lightning_logs/{run}")).stdout).unwrap();
    assert_eq!(program.command("fit --fail-in 15").output().unwrap().status.code(), Some(1));
    let text = snapshot("version_0");
    assert!(text.contains("failed") && text.contains("the fault of step 15") && text.contains("1/2"), "{text}");
    let mut killed = program.in_the_background("fit --wait-in 12");
    let metrics = program.path("lightning_logs/version_1/metrics.csv");
    while !std::fs::read_to_string(&metrics).is_ok_and(|text| text.contains("\n11,")) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    assert!(snapshot("version_1").contains("killed"), "{}", snapshot("version_1"));
}

#[test]
fn watch_is_closed_by_a_signal() {
    let program = Program::new();
    program.in_pipes("fit");
    let mut terminal = program.on_a_terminal("watch");
    terminal.wait_for_text("finished");
    let pid = rustix::process::Pid::from_raw(i32::try_from(terminal.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(terminal.end().success());
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor() && terminal.edits_lines());
}

#[test]
fn watch_refuses_a_folder_without_runs() {
    let program = Program::new();
    let output = program.command("watch .").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "error: . does not contain runs: name a folder such as lightning_logs, with folders such as version_0\n"
    );
    let mut dumb = program.command("watch lightning_logs");
    dumb.env("TERM", "dumb");
    program.in_pipes("fit");
    let (status, written) = PseudoTerminal::start(dumb, 30, 100).finish();
    let written = String::from_utf8(written).unwrap();
    assert!(status.success() && !written.contains('\u{1b}') && written.contains("finished"), "{written}");
}

#[test]
fn watch_keeps_what_it_has_read_of_a_folder_that_is_removed() {
    let program = Program::new();
    program.in_pipes("fit");
    let losses = column(&program.run_folder(), "val_loss");
    let mut terminal = program.on_a_terminal("watch");
    terminal.wait_for_text(&losses[2]);
    std::fs::remove_dir_all(program.run_folder()).unwrap();
    let screen = terminal.wait_for_text("can no longer be read");
    assert!(screen.contains(&losses[2]), "{screen}");
    terminal.press("q");
    assert!(terminal.end().success());
}
