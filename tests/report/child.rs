//! The program of `program.rs` as a child process, in an empty folder of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub struct Program {
    folder: TempDir,
}

impl Program {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reported"));
        command.env("OMP_NUM_THREADS", "1").current_dir(&self.folder).args(arguments.split_whitespace());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs the program as root without root's right to read every file.
    pub fn run_without_rights(&self, arguments: &str) -> Output {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", env!("CARGO_BIN_EXE_reported")]);
        command.env("OMP_NUM_THREADS", "1").current_dir(&self.folder).args(arguments.split_whitespace());
        command.output().unwrap()
    }

    /// Runs the program, which must succeed, and returns what it wrote to stdout.
    pub fn succeed(&self, arguments: &str) -> String {
        succeeded(self.run(arguments))
    }

    /// As `succeed`, with a second logger.
    pub fn succeed_with_json_lines(&self, arguments: &str) -> String {
        succeeded(self.command(arguments).env("JSON_LINES", "").output().unwrap())
    }

    /// Runs the program, which must fail, and returns the last line of stderr.
    pub fn refuse(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap().lines().last().unwrap().to_owned()
    }

    /// Starts a `fit` that waits in the third step of epoch 1, and returns it when it waits there.
    pub fn start(&self, arguments: &str) -> Child {
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "waiting"));
        child
    }
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The values of a column of `metrics.csv`.
pub fn column(run: &Path, name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let index = lines.next().unwrap().iter().position(|column| *column == name).unwrap();
    lines.filter(|cells| !cells[index].is_empty()).map(|cells| cells[index].parse().unwrap()).collect()
}
