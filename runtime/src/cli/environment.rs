//! The environment of a run: the section of a saved configuration that `--config` does not read.

use crate::config::TrainerConfig;
use crate::git_revision::git_revision;
use crate::native::{MappedFile, libtorch_version};
use crate::yaml;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use tch::Device;
use twox_hash::XxHash3_64;

/// The key of the section.
pub(super) const ENVIRONMENT: &str = "environment";

/// The program and the machine of a run. Values that cannot be determined are absent.
#[derive(Serialize)]
pub(super) struct Environment {
    command: Vec<String>,
    folder: Option<String>,
    program: Option<String>,
    /// The XXH3 hash of the executable.
    program_hash: Option<String>,
    /// The commit that is checked out in the current folder.
    git_revision: Option<String>,
    /// Whether a tracked file differs from that commit.
    git_dirty: Option<bool>,
    tch_lightning: &'static str,
    libtorch: String,
    device: Option<String>,
    threads: i32,
    host: Option<String>,
    date: String,
}

impl Environment {
    /// Returns the environment of a run with this configuration.
    pub(super) fn of(config: &TrainerConfig) -> Self {
        let folder = std::env::current_dir().ok();
        Self {
            command: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
            folder: folder.as_deref().map(shown),
            program: std::env::current_exe().ok().as_deref().map(shown),
            program_hash: hash_of_program().ok(),
            git_revision: folder.as_deref().and_then(git_revision),
            git_dirty: folder.as_deref().and_then(is_dirty),
            tch_lightning: env!("CARGO_PKG_VERSION"),
            libtorch: libtorch_version().to_owned(),
            device: config.accelerator.device(&config.devices).ok().map(name_of),
            threads: tch::get_num_threads(),
            host: sysinfo::System::host_name(),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        }
    }

    /// Returns the section of a configuration file, with a comment.
    ///
    /// # Errors
    /// For a value that YAML cannot hold.
    pub(super) fn to_yaml(&self) -> Result<String> {
        let yaml =
            yaml::write(&BTreeMap::from([(ENVIRONMENT, self)])).context("cannot write the environment as YAML")?;
        Ok(format!("# the program and the machine of this run, which --config ignores\n{yaml}"))
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn name_of(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Mps => "mps".to_owned(),
        Device::Vulkan => "vulkan".to_owned(),
    }
}

fn hash_of_program() -> io::Result<String> {
    // on Linux this opens the running program even if the file was replaced, as by a new build
    let this = if cfg!(target_os = "linux") { PathBuf::from("/proc/self/exe") } else { std::env::current_exe()? };
    // mapped, as a program may have hundreds of megabytes; at once, as the streaming form is compiled into this crate, and takes a
    // second in a debug build
    let program = MappedFile::new(&File::open(this)?)?;
    Ok(format!("xxh3:{:016x}", XxHash3_64::oneshot(&program)))
}

/// Returns whether a tracked file of a folder differs from its commit. Returns `None` without git or a repository.
fn is_dirty(folder: &Path) -> Option<bool> {
    let mut git = Command::new("git");
    // writes nothing to the repository, and runs no program that the repository configures
    git.current_dir(folder).env("GIT_OPTIONAL_LOCKS", "0").args(["-c", "core.fsmonitor=false"]);
    git.args(["status", "--porcelain", "--untracked-files=no"]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(!output.stdout.is_empty())
}
