//! The commands that a program adds to the generated ones.

use super::flags::Flags;
use anyhow::Result;
use clap::{ArgMatches, Command};

type Run = Box<dyn FnOnce(&ArgMatches) -> Result<()>>;

/// The commands of a program's own, in order.
#[derive(Default)]
pub(super) struct Subcommands(Vec<(Command, Run)>);

impl Subcommands {
    pub(super) fn add(&mut self, command: Command, run: Run) {
        self.0.push((command, run));
    }

    /// Adds the commands to the command line.
    pub(super) fn add_to(&self, flags: &mut Flags) -> Result<()> {
        flags.add(self.0.iter().map(|(command, _)| command.clone()))
    }

    /// Runs the command with this name; `None` if the program has not added one.
    pub(super) fn run(self, name: &str, arguments: &ArgMatches) -> Option<Result<()>> {
        let (_, run) = self.0.into_iter().find(|(command, _)| command.get_name() == name)?;
        Some(run(arguments))
    }
}
