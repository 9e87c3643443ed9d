//! The program of `program.rs`, in an empty folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tch_lightning::checkpoint::Checkpoint;
use tempfile::TempDir;
use tests::pseudo_terminal::PseudoTerminal;

pub struct Program {
    folder: TempDir,
}

impl Program {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the first run.
    pub fn run_folder(&self) -> PathBuf {
        self.path("lightning_logs/version_0")
    }

    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dashboard_run"));
        command.env("OMP_NUM_THREADS", "1").env("TERM", "xterm-256color").env_remove("RUST_LOG").env_remove("NO_COLOR");
        command.current_dir(&self.folder).args(arguments.split_whitespace());
        command
    }

    /// Starts the program on a terminal of 100 columns and 30 rows.
    pub fn on_a_terminal(&self, arguments: &str) -> PseudoTerminal {
        self.on_a_terminal_of(arguments, 30, 100)
    }

    pub fn on_a_terminal_of(&self, arguments: &str, rows: u16, columns: u16) -> PseudoTerminal {
        PseudoTerminal::start(self.command(arguments), rows, columns)
    }

    /// Starts the program without a terminal.
    pub fn in_the_background(&self, arguments: &str) -> Background {
        let mut command = self.command(arguments);
        Background(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Runs the program to its end, with its output in pipes.
    pub fn in_pipes(&self, arguments: &str) -> Output {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Lets a run continue that waits in a step.
    pub fn let_go(&self) {
        std::fs::write(self.path("continue"), "").unwrap();
    }

    /// The checkpoints of the first run, by name.
    pub fn checkpoints(&self) -> Vec<String> {
        let folder = self.run_folder().join("checkpoints");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A process that does not outlive the test.
pub struct Background(pub Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The values of every tensor of a checkpoint's module, by name.
pub fn weights(path: &Path) -> Vec<(String, Vec<f64>)> {
    let tensors = Checkpoint::read(path).unwrap().tensors;
    let of_module = tensors.iter().filter(|(name, _)| name.starts_with("module."));
    let values = |tensor: &tch::Tensor| Vec::try_from(tensor.flatten(0, -1).to_kind(tch::Kind::Double)).unwrap();
    let weights: Vec<(String, Vec<f64>)> = of_module.map(|(name, tensor)| (name.clone(), values(tensor))).collect();
    assert_eq!(weights.len(), 2);
    weights
}

/// The values of a column of a run's `metrics.csv`, as the screen shows them.
pub fn column(run: &Path, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let index = lines.next().unwrap().iter().position(|column| *column == name).unwrap();
    let values = lines.filter(|cells| !cells[index].is_empty()).map(|cells| cells[index].parse::<f64>().unwrap());
    values.map(|value| format!("{value:.4}")).collect()
}
