//! What a run prints: to a terminal with a progress bar, and elsewhere.
#![allow(missing_docs)]

use std::process::{Command, Stdio};
use tests::pseudo_terminal::PseudoTerminal;

const ROWS: u16 = 60;
const COLUMNS: u16 = 100;

fn program(mode: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_printing"));
    program.args((!mode.is_empty()).then_some(mode)).env("OMP_NUM_THREADS", "1").env("TERM", "xterm-256color");
    program.env_remove("RUST_LOG").env_remove("NO_COLOR").stdin(Stdio::null());
    program
}

/// What the program writes to a terminal.
fn on_a_terminal(program: Command) -> Vec<u8> {
    let (status, written) = PseudoTerminal::start(program, ROWS, COLUMNS).finish();
    assert!(status.success(), "{}", String::from_utf8_lossy(&written));
    written
}

/// The lines that a terminal shows after all that was written.
fn screen(written: &[u8]) -> Vec<String> {
    let mut terminal = vt100::Parser::new(ROWS, COLUMNS, 0);
    terminal.process(written);
    terminal
        .screen()
        .contents()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

/// The lines that the program writes where that is not a terminal: to stdout, and to stderr.
fn elsewhere(mut program: Command) -> [Vec<String>; 2] {
    let output = program.output().unwrap();
    assert!(output.status.success());
    [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap().lines().map(str::to_owned).collect())
}

/// The lines on the screen without those of the epochs, whose times vary.
fn without_epochs(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !is_of_an_epoch(line)).collect()
}

fn is_of_an_epoch(line: &str) -> bool {
    // `epoch  0/14  step     3  0.0 s`
    let Some(rest) = line.strip_prefix("epoch ").and_then(|rest| rest.trim_start().split_once("/14  step ")) else {
        return false;
    };
    rest.0.parse::<usize>().is_ok() && rest.1.ends_with(" s") && rest.1.len() < 20
}

const SKIPPED: &str = "the loss of 1 batch was NaN or infinite, first at epoch 0, batch 4, and its step was skipped";
const ENDED: &str = "training ended after 15 epochs and 90 steps: `max_epochs` of 15 was reached";

/// The lines that hooks print and report, in their order.
fn own() -> Vec<String> {
    (1..=9)
        .map(|line| if line % 2 == 0 { format!("line {line}") } else { format!("warning: line line={line}") })
        .collect()
}

fn printed() -> Vec<String> {
    own().into_iter().filter(|line| line.starts_with("line ")).collect()
}

#[test]
fn lines_stay_above_the_progress_bar() {
    let warning = format!("warning: {SKIPPED}");
    let without_subscriber = "a subscriber was installed: false";
    // without a subscriber, the program's own events are lost
    for (mode, own, last) in [("init", own(), None), ("", printed(), Some(without_subscriber))] {
        let written = on_a_terminal(program(mode));
        let text = String::from_utf8_lossy(&written);
        assert!(text.matches("epoch 1/14 ").count() > 1 && text.contains(" 1/6 "), "no bar was drawn: {text}");
        let lines = screen(&written);
        assert_eq!(lines.iter().filter(|line| is_of_an_epoch(line)).count(), 15, "{lines:#?}");
        let expected = own.iter().map(String::as_str).chain([ENDED, &warning]).chain(last);
        assert_eq!(without_epochs(lines), expected.collect::<Vec<_>>());
    }
}

#[test]
fn line_that_bypasses_the_bar_is_torn() {
    // so that the test above can fail
    let lines = screen(&on_a_terminal(program("past the bar")));
    assert!(
        lines.iter().any(|line| line.starts_with("epoch ") && line.contains("/6 ") && line.contains("line ")),
        "{lines:#?}"
    );
}

#[test]
fn warning_is_coloured_only_on_a_terminal() {
    let coloured = "\u{1b}[33m\u{1b}[1mwarning\u{1b}[0m: ";
    let on_a_terminal = |program| String::from_utf8(on_a_terminal(program)).unwrap();
    assert!(on_a_terminal(program("init")).contains(&format!("{coloured}{SKIPPED}")));
    let mut plain = program("init");
    plain.env("NO_COLOR", "1");
    assert!(!on_a_terminal(plain).contains(coloured));
    let [stdout, reported] = elsewhere(program("init"));
    assert_eq!(stdout, printed());
    let warnings = reported.into_iter().filter(|line| line.starts_with("warning: "));
    let own = own().into_iter().filter(|line| line.starts_with("warning: "));
    assert_eq!(warnings.collect::<Vec<_>>(), own.chain([format!("warning: {SKIPPED}")]).collect::<Vec<_>>());
}

#[test]
fn rust_log_chooses_what_is_reported() {
    let skipped = format!("warning: {SKIPPED}");
    for mode in ["init", ""] {
        let reported = |choice: &str| {
            let mut program = program(mode);
            program.env("RUST_LOG", choice);
            let [_, reported] = elsewhere(program);
            let is_of_the_crate = |line: &String| !line.contains("line line=") && !line.starts_with("a subscriber");
            without_epochs(reported).into_iter().filter(is_of_the_crate).collect::<Vec<_>>()
        };
        assert_eq!(reported("error"), [""; 0], "{mode}");
        assert_eq!(reported("warn"), [skipped.as_str()], "{mode}");
        assert_eq!(reported("error,tch_lightning::loops=info"), [ENDED], "{mode}");
        assert_eq!(reported(""), [ENDED, &skipped], "{mode}");
        let said = reported("info=info=info");
        assert!(
            said[0].starts_with("warning: RUST_LOG `info=info=info` is ignored, as it cannot be read: "),
            "{said:?}"
        );
        assert_eq!(said[1..], [ENDED, &skipped], "{mode}");
    }
}

#[test]
fn subscriber_of_the_programs_own_gets_fields() {
    let [stdout, reported] = elsewhere(program("own"));
    assert_eq!(stdout, printed());
    let own = (1..=9).step_by(2).map(|line| format!(" WARN printing: line line={line}"));
    let ended = format!(" INFO tch_lightning::loops::fit: {ENDED} epoch=15 step=90");
    let skipped = format!(" WARN tch_lightning::context::non_finite: {SKIPPED} epoch=0 batch_idx=4 skipped=1");
    assert_eq!(without_epochs(reported), own.chain([ended, skipped]).collect::<Vec<_>>());
}
