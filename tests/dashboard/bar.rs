//! The progress bar.

use crate::runs::Program;

#[test]
fn bar_has_rates_with_units_and_the_time_left() {
    let program = Program::new();
    let terminal = program.on_a_terminal("fit --wait-in 25 --pause 120");
    let screen = terminal.wait_for("the bar of epoch 2", |text| text.contains("epoch 2/2 ") && text.contains("5/10"));
    let bar = screen.lines().find(|line| line.contains("5/10")).unwrap();
    for part in ["epoch 2/2 ━", "─ ", "  0:0", " left  ", " batches/s  run 0:0", "train_loss 0."] {
        assert!(bar.contains(part), "{part}: {bar}");
    }
    program.let_go();
    assert!(terminal.finish().0.success());
}

#[test]
fn validation_has_a_bar_of_its_own() {
    let program = Program::new();
    let (status, written) = program.on_a_terminal("fit --pause 120 --max-epochs 1").finish();
    let written = console_text(&written);
    assert!(status.success() && written.contains("validation ━") && written.contains(" 2/3 "), "{written}");
    assert!(written.contains("sanity check ━") && written.contains(" 1/2 "), "{written}");
    // the bar of the epoch stays above
    let (_, validating) = written.split_once("validation ━").unwrap();
    assert!(validating.contains("epoch 0/0 ━"), "{written}");
    let (status, written) = program.on_a_terminal("validate --pause 120").finish();
    let written = console_text(&written);
    assert!(status.success() && written.contains("validation ━") && written.contains(" 2/3 "), "{written}");
}

#[test]
fn bar_fits_into_a_narrow_terminal() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal_of("fit --wait-in 25 --pause 120", 12, 40);
    let screen = terminal.wait_for("the bar of epoch 2", |text| text.contains("epoch 2/2 ") && text.contains("5/10"));
    assert_eq!(screen.lines().filter(|line| line.contains("epoch 2/2 ")).count(), 1, "{screen}");
    program.let_go();
    assert!(terminal.end().success());
    // no remains of bars among the lines of epochs
    let text = terminal.text();
    let remains: Vec<&str> = text.lines().filter(|line| line.contains('━') || line.contains('─')).collect();
    assert_eq!(remains, [""; 0], "{text}");
}

#[test]
fn bar_follows_the_size_of_the_terminal() {
    let program = Program::new();
    let mut terminal = program.on_a_terminal("fit --wait-in 15 --pause 120");
    terminal.wait_for("the bar of epoch 1", |text| text.contains("epoch 1/2 ") && text.contains("5/10"));
    terminal.resize(30, 50);
    program.let_go();
    let screen = terminal.wait_for("the bar of epoch 2", |text| text.contains("epoch 2/2 ") && text.contains("4/10"));
    let bar = screen.lines().find(|line| line.contains("4/10")).unwrap();
    assert!(bar.contains("left") && bar.trim_end().chars().count() < 50, "{bar}");
    assert!(terminal.end().success());
}

/// What was written, without the sequences that colour and move.
fn console_text(written: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = String::from_utf8_lossy(written).into_owned();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        let end = after.find(|letter: char| letter.is_ascii_alphabetic()).map_or(after.len(), |end| end + 1);
        rest = after[end..].to_owned();
    }
    text + &rest
}
