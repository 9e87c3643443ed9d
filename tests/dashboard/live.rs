//! What the dashboard of a run shows, and what it leaves behind.

use crate::runs::{Program, column, weights};

/// The names that the screen shows of a run.
const SHOWN: [&str; 9] =
    ["Slow", "train_loss", "val_loss", "val_acc", "Epochs", "Where time goes", "Messages", "forward", "data wait"];

/// What the program prints by then.
const MESSAGES: [&str; 4] =
    ["a line of println!", "a warning of a hook", "a line of ctx.print", "validated after step 20"];

#[test]
fn dashboard_shows_metrics_times_and_messages() {
    let program = Program::new();
    let terminal = program.on_a_terminal_of("fit --dashboard --wait-in 25", 45, 100);
    // the first row of the third epoch
    let screen = terminal.wait_for("epoch 2", |text| {
        text.contains("2/2") && text.contains("step 25") && MESSAGES.iter().all(|line| text.contains(line))
    });
    assert!(terminal.screen().alternate_screen());
    assert!(!terminal.edits_lines());
    for name in SHOWN {
        assert!(screen.contains(name), "{name}:\n{screen}");
    }
    let run = program.run_folder();
    let [losses, accuracies] = ["val_loss", "val_acc"].map(|name| column(&run, name));
    for value in losses.iter().chain(&accuracies) {
        assert!(screen.contains(value), "{value}:\n{screen}");
    }
    program.let_go();
    let (status, _) = terminal.finish();
    assert!(status.success());
}

#[test]
fn dashboard_leaves_its_last_screen_and_the_messages_behind() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal_of("fit --dashboard", 70, 100);
    assert!(terminal.end().success());
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor() && terminal.edits_lines());
    let text = terminal.text();
    let order = [
        "Slow",
        "train_loss",
        "a line of println!",
        "warning: a warning of a hook",
        "training ended after 3 epochs",
        "the run's folder is",
    ];
    let places = order.map(|part| text.find(part).unwrap_or_else(|| panic!("`{part}` is missing:\n{text}")));
    assert!(places.is_sorted(), "{places:?}\n{text}");
    assert!(text.contains(column(&program.run_folder(), "val_acc").last().unwrap()), "{text}");
}

#[test]
fn dashboard_is_closed_by_an_error_of_the_run() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal_of("fit --dashboard --fail-in 15", 70, 100);
    assert_eq!(terminal.end().code(), Some(1));
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor() && terminal.edits_lines());
    let text = terminal.text();
    assert!(text.contains("train_loss") && text.contains("the fault of step 15"), "{text}");
}

#[test]
fn dashboard_is_closed_by_a_signal() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal_of("fit --dashboard --wait-in 5", 70, 100);
    terminal.wait_for_text("step 5");
    let pid = rustix::process::Pid::from_raw(i32::try_from(terminal.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    // at once, although the step still runs
    terminal.wait_for("the closed screen", |_| !terminal.screen().alternate_screen());
    assert!(terminal.edits_lines());
    program.let_go();
    assert_eq!(terminal.end().code(), Some(143));
    assert!(terminal.text().contains("SIGTERM"), "{}", terminal.text());
}

#[test]
fn panic_in_the_dashboard_does_not_change_the_weights() {
    let (quiet, panicking) = (Program::new(), Program::new());
    quiet.in_pipes("fit");
    let mut terminal = panicking.on_a_terminal_of("fit --dashboard --panic --pause 40", 70, 100);
    assert!(terminal.end().success());
    let text = terminal.text();
    let said = "warning: the dashboard is closed, and the run continues without it: a panic of a test (panicked at ";
    assert!(text.replace('\n', " ").contains(said) || text.contains(said), "{text}");
    assert!(text.contains("epoch 2/2  step    30"), "the progress bar follows:\n{text}");
    assert!(!terminal.screen().alternate_screen() && terminal.edits_lines());
    assert_eq!(quiet.checkpoints(), ["epoch=2-step=30.ckpt"]);
    let weights =
        [&quiet, &panicking].map(|program| weights(&program.run_folder().join("checkpoints/epoch=2-step=30.ckpt")));
    assert_eq!(weights[0], weights[1]);
}

#[test]
fn dashboard_is_closed_by_a_panic_that_aborts() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal("fit --dashboard --abort");
    assert!(!terminal.end().success());
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor() && terminal.edits_lines());
    assert!(terminal.text().contains("a panic that aborts"), "{}", terminal.text());
}

#[test]
fn small_screens_show_one_part_at_a_time() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal("fit --dashboard --wait-in 25");
    terminal.wait_for_text("step 25");
    terminal.resize(12, 40);
    let curves = terminal
        .wait_for("a curve", |text| text.contains("loss") && !text.contains("Messages") && text.contains("step 25"));
    assert!(curves.lines().count() <= 12 && curves.contains("Slow") && curves.contains("epoch"), "{curves}");
    let accuracy = column(&program.run_folder(), "val_acc").pop().unwrap();
    terminal.press("\t");
    terminal.wait_for("the epochs", |text| text.contains("Epochs") && text.contains("val_loss"));
    terminal.press("\t");
    terminal.wait_for_text("forward");
    terminal.press("\t");
    terminal.wait_for_text("a line of ctx.print");
    terminal.resize(30, 100);
    terminal.wait_for("all", |text| text.contains("Messages") && text.contains(&accuracy) && text.contains("forward"));
    terminal.resize(3, 15);
    terminal.wait_for("the name", |text| text.contains("Slow"));
    program.let_go();
    assert!(terminal.end().success());
}

#[test]
fn dashboard_needs_a_terminal() {
    let program = Program::new();
    let output = program.in_pipes("fit --dashboard");
    let said = String::from_utf8(output.stderr).unwrap();
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains("dashboard")).collect();
    assert_eq!(warnings, ["warning: there is no dashboard, as stderr is not a terminal"]);
    assert!(said.contains("epoch 2/2  step    30"), "{said}");
    let mut dumb = program.command("fit --dashboard");
    dumb.env("TERM", "dumb");
    let (status, written) = tests::pseudo_terminal::PseudoTerminal::start(dumb, 30, 100).finish();
    let written = String::from_utf8(written).unwrap();
    assert!(
        status.success()
            && written.contains("there is no dashboard, as the environment variable TERM is dumb or not set"),
        "{written}"
    );
}
