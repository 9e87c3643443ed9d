//! Ends of the process that run no destructors, and stops: the terminal is as before.

use crate::runs::Program;
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::ExitStatusExt;
use tests::pseudo_terminal::PseudoTerminal;

fn send(terminal: &PseudoTerminal, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(terminal.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Whether this process ignores a signal, as a job in the background of a script or one of `nohup` does; its children do so too.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    ignored & (1 << (signal.as_raw() - 1)) != 0
}

fn assert_is_restored(terminal: &PseudoTerminal) {
    let screen = terminal.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && terminal.edits_lines(), "{}", terminal.text());
}

#[test]
fn terminal_is_restored_by_an_exit_and_an_abort_in_a_hook() {
    let program = Program::new();
    for (end, code, signal) in [("exit", Some(7), None), ("abort", None, Some(6))] {
        let mut terminal = program.on_a_terminal(&format!("fit --dashboard --pause 100 --end {end}"));
        let status = terminal.end();
        assert_eq!((status.code(), status.signal()), (code, signal));
        assert_is_restored(&terminal);
        // what was written meanwhile is not lost
        for line in ["a line of println!", "a warning of a hook", "the last line"] {
            assert!(terminal.text().contains(line), "{line}: {}", terminal.text());
        }
    }
}

#[test]
fn terminal_is_restored_by_signals_that_end_the_process() {
    let program = Program::new();
    let signals = [Signal::HUP, Signal::QUIT, Signal::ABORT, Signal::SEGV];
    for signal in signals.into_iter().filter(|signal| !is_ignored(*signal)) {
        let mut terminal = program.on_a_terminal("fit --dashboard --wait-in 5");
        terminal.wait_for_text("step 5");
        send(&terminal, signal);
        assert_eq!(terminal.end().signal(), Some(signal.as_raw()));
        assert_is_restored(&terminal);
        assert!(terminal.text().contains("a line of println!"), "{}", terminal.text());
    }
    let mut terminal = program.on_a_terminal("fit --dashboard --wait-in 5 --handle-signals false");
    terminal.wait_for_text("step 5");
    send(&terminal, Signal::TERM);
    assert_eq!(terminal.end().signal(), Some(15));
    assert_is_restored(&terminal);
    if !is_ignored(Signal::HUP) {
        let mut terminal = program.on_a_terminal("watch");
        terminal.wait_for_text("killed");
        send(&terminal, Signal::HUP);
        assert_eq!(terminal.end().signal(), Some(1));
        assert_is_restored(&terminal);
    }
}

#[test]
fn stopped_process_gives_the_terminal_to_the_shell() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal("fit --dashboard --wait-in 5");
    terminal.wait_for_text("step 5");
    let written = |terminal: &PseudoTerminal, what: &str| terminal.written().matches(what).count();
    for times in 1..=2 {
        if times == 1 {
            terminal.press("\u{1a}");
        } else {
            send(&terminal, Signal::TSTP);
        }
        terminal.wait_for("the screen of the shell", |_| written(&terminal, "\u{1b}[?1049l") == times);
        // where no shell could continue it, the system does not stop it
        send(&terminal, Signal::CONT);
        terminal.wait_for("the dashboard again", |_| written(&terminal, "\u{1b}[?1049h") == times + 1);
        terminal.wait_for_text("step 5");
        assert!(terminal.screen().alternate_screen() && !terminal.edits_lines());
    }
    // a stop that cannot be prepared for
    send(&terminal, Signal::STOP);
    send(&terminal, Signal::CONT);
    terminal.wait_for("the dashboard again", |_| written(&terminal, "\u{1b}[?1049h") == 4);
    program.let_go();
    assert!(terminal.end().success());
    assert_is_restored(&terminal);
    assert!(terminal.text().contains("training ended after 3 epochs"), "{}", terminal.text());
}
