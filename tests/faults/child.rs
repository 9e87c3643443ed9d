//! The program of `program.rs` as a child process, in an empty folder of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use tempfile::TempDir;

pub struct Program {
    folder: TempDir,
    executable: &'static str,
    environment: Option<(&'static str, &'static str)>,
}

impl Program {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), executable: env!("CARGO_BIN_EXE_faulty"), environment: None }
    }

    /// The program of `flags.rs`, with these hyperparameters.
    pub fn of_flags(flags: &'static str) -> Self {
        Self { executable: env!("CARGO_BIN_EXE_flags"), environment: Some(("FLAGS", flags)), ..Self::new() }
    }

    /// This program in the same folder, with a variable in its environment.
    pub fn with(self, name: &'static str, value: &'static str) -> Self {
        Self { environment: Some((name, value)), ..self }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.env("OMP_NUM_THREADS", "1").envs(self.environment).current_dir(&self.folder).args(arguments);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &str) -> Output {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        self.command(self.executable, &arguments).output().unwrap()
    }

    /// Runs the program as if it was built with `panic = "abort"`.
    pub fn run_aborting(&self, arguments: &str) -> Output {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        self.command(env!("CARGO_BIN_EXE_faulty"), &arguments).env("ABORT_ON_PANICS", "").output().unwrap()
    }

    /// What the program wrote to the standard output stream. It must end well.
    pub fn succeed(&self, arguments: &str) -> String {
        self.results_and_log(arguments).0
    }

    /// The messages on stderr of a run that succeeds.
    pub fn log(&self, arguments: &str) -> String {
        self.results_and_log(arguments).1
    }

    fn results_and_log(&self, arguments: &str) -> (String, String) {
        let output = self.run(arguments);
        let (said, log) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "`faulty {arguments}` failed: {said}{log}");
        (said, log)
    }

    /// The sentence with which the program ends, which must be its last one, and its exit code 1.
    pub fn refuse(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(output.stderr.clone()));
        sentence(&text(output.stderr))
    }

    /// Runs the program on a disk that takes no file of more than so many blocks of 512 bytes.
    pub fn run_on_a_full_disk(&self, blocks: usize, arguments: &str) -> Output {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {} {arguments}", env!("CARGO_BIN_EXE_faulty"));
        self.command("sh", &["-c", &script]).output().unwrap()
    }

    /// Runs the program with a standard output stream that nobody reads: how it ended, and what it wrote to the other one.
    pub fn run_into_a_closed_pipe(&self, arguments: &str) -> (ExitStatus, String) {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = self.command(self.executable, &arguments);
        let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        (output.status, text(output.stderr))
    }

    /// Starts the program, and waits until it has begun its first step.
    pub fn start(&self, arguments: &str) -> Running {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        Running::wait_for_step(self.command(env!("CARGO_BIN_EXE_faulty"), &arguments))
    }

    /// As `start`, from a shell that ignores SIGINT.
    pub fn start_ignoring_sigint(&self, arguments: &str) -> Running {
        let script = format!("trap '' INT; exec {} {arguments}", env!("CARGO_BIN_EXE_faulty"));
        Running::wait_for_step(self.command("sh", &["-c", &script]))
    }
}

/// The error in what the program wrote to the standard error stream: its last line.
pub fn sentence(log: &str) -> String {
    let last = log.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {log}")).to_owned()
}

pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The program while it runs.
pub struct Running {
    child: Child,
    steps: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn wait_for_step(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let steps = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, steps };
        running.step();
        running
    }

    /// Waits until another step has begun.
    pub fn step(&mut self) {
        let lines = self.steps.by_ref().lines().map(Result::unwrap);
        assert!(lines.into_iter().any(|line| line == "step"), "the program ended before its step");
    }

    /// Sends a signal such as `INT`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end: how it ended, and what was on the standard error stream.
    pub fn end(mut self) -> (ExitStatus, String) {
        // its output is read, so that it is never stuck in writing
        std::io::copy(&mut self.steps, &mut std::io::sink()).unwrap();
        let output = self.child.wait_with_output().unwrap();
        (output.status, text(output.stderr))
    }
}
