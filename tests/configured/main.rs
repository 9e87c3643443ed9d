//! Runs that flags and configuration files describe, and the configuration that a run saves.

mod callbacks;
mod choices;
mod completions;
mod determinism;
mod forms;
mod loggers;
mod optimizers;
mod ranges;
mod saved;
mod subcommands;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A generated program in a folder of its own.
struct Program {
    folder: tempfile::TempDir,
    program: &'static str,
    /// The model of the program `choices`.
    model: &'static str,
}

impl Program {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), program: env!("CARGO_BIN_EXE_configured"), model: "" }
    }

    /// Returns the program with the models of `choices/program.rs`.
    fn with_model(model: &'static str) -> Self {
        Self { program: env!("CARGO_BIN_EXE_choices"), model, ..Self::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(self.program);
        program.env("OMP_NUM_THREADS", "1").env("COLUMNS", "200").env("MODEL", self.model);
        program.current_dir(&self.folder).args(arguments);
        program
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs the program, which must succeed. Returns its results and its messages.
    fn run(&self, arguments: &[&str]) -> (String, String) {
        let output = self.output(arguments);
        let (results, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{arguments:?} failed: {results}{log}");
        (results, log)
    }

    /// Runs the program, which must fail. Returns its messages.
    fn fail(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?} succeeded: {log}");
        log
    }

    /// Runs the program with the words of a line, which must succeed. Returns its results and its messages.
    fn run_line(&self, line: &str) -> (String, String) {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the program with the words of a line, which must fail. Returns the error.
    fn error_of(&self, line: &str) -> String {
        let log = self.fail(&line.split_whitespace().collect::<Vec<_>>());
        let error = log.lines().find_map(|line| line.strip_prefix("error: "));
        error.unwrap_or_else(|| panic!("no error in {log}")).to_owned()
    }

    /// Returns the only checkpoint of a run.
    fn checkpoint(&self, run: &str) -> PathBuf {
        let files = files(&self.path(run).join("checkpoints"));
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

/// Returns the files in a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
