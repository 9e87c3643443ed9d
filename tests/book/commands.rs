//! The commands that the book shows: targets of `make`, and the commands and flags of a generated program.

use super::pages::{checkout, lines, read, sources};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// How a command of a program begins.
const PROGRAMS: [&str; 2] = ["cargo run --release -- ", "my-project "];

/// The commands of a program, whose flags the book shows.
const COMMANDS: [&str; 6] = ["fit", "hooks", "runs", "report", "watch", "export"];

/// The hyperparameters of the book's own models.
const HYPERPARAMETERS: [&str; 3] = ["--lr", "--width", "--batch-size"];

/// The spans of code and the lines of shell that the chapters show, with their pages.
fn shown() -> Vec<(PathBuf, String)> {
    let of_page = |(page, text): (PathBuf, String)| {
        let spans = lines(&text, &[]).into_iter().flat_map(|line| line.split('`').skip(1).step_by(2));
        let shell = lines(&text, &["sh"]);
        spans.chain(shell).map(|code| (page.clone(), code.to_owned())).collect::<Vec<_>>()
    };
    sources().into_iter().flat_map(of_page).collect()
}

/// The words of a text that are flags.
fn flags(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| letter.is_whitespace() || "[]<>`,='".contains(letter));
    words.filter(|word| word.len() > 2 && word.starts_with("--"))
}

/// What a program with every kind of flags prints for `--help`.
fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_configured")).args([command, "--help"]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn targets_of_make_exist() {
    let makefile = read(&checkout().join("Makefile"));
    let shown = shown();
    let targets = shown.iter().filter_map(|(page, code)| Some((page, code.strip_prefix("make ")?)));
    let mut checked = 0;
    for (page, target) in targets {
        let target = target.split_whitespace().next().unwrap();
        assert!(makefile.contains(&format!("\n{target}: ")), "{}: `make {target}`", page.display());
        checked += 1;
    }
    assert!(checked > 4, "{checked}");
}

#[test]
fn commands_of_a_program_have_these_flags() {
    let helps = COMMANDS.map(help).concat();
    let known: BTreeSet<&str> = flags(&helps).chain(HYPERPARAMETERS).collect();
    let mut checked = 0;
    for (page, code) in shown() {
        let arguments = PROGRAMS.iter().find_map(|program| code.strip_prefix(program));
        if let Some(arguments) = arguments {
            let command = arguments.split_whitespace().next().unwrap();
            assert!(COMMANDS.contains(&command), "{}: `{code}`", page.display());
        }
        let begins_with_command = COMMANDS.iter().any(|command| code.starts_with(&format!("{command} ")));
        if arguments.is_none() && !begins_with_command && !code.starts_with("--") {
            continue;
        }
        for flag in flags(arguments.unwrap_or(&code)) {
            assert!(known.contains(flag) || flag == "--help", "{}: `{flag}` of `{code}`", page.display());
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}
