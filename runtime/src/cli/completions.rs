//! The `completions` command: a script that completes the program's commands and flags in a shell.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

// not the name of a hyperparameter
const SHELL: &str = "completions.shell";

pub(super) fn completions_command() -> Command {
    let shell = Arg::new(SHELL).value_name("SHELL").value_parser(value_parser!(Shell)).required(true);
    Command::new("completions")
        .about("Print a script that completes commands and flags in a shell")
        .arg(shell.help("The shell that reads the script"))
}

/// Returns the script for a program, with the shell of the arguments of `completions`.
pub(super) fn completions(mut program: Command, arguments: &ArgMatches) -> String {
    let shell = arguments.get_one::<Shell>(SHELL).copied().unwrap_or(Shell::Bash);
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
