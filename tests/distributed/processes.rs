//! Starts programs that run in several processes, and ends them after a time.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest time for a program.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs a program to its end, and returns what it printed.
///
/// # Panics
/// If it does not end in time.
pub fn output(command: &mut Command) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let watched = child.id();
    let (ended, has_ended) = std::sync::mpsc::channel::<()>();
    let watcher = thread::spawn(move || {
        if has_ended.recv_timeout(LONGEST).is_err() {
            let _ = Command::new("kill").args(["-KILL", &watched.to_string()]).status();
        }
    });
    let begun = Instant::now();
    let output = Child::wait_with_output(child).unwrap();
    let _ = ended.send(());
    watcher.join().unwrap();
    assert!(begun.elapsed() < LONGEST, "it did not end: {}", said(&output));
    output
}

/// Checks each case, three at a time: processes that wait for others, or for a timeout, leave the processor free.
///
/// # Panics
/// If a check does.
pub fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T, IntoIter: Send>, check: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases.into_iter());
    let next = || cases.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| std::iter::from_fn(next).for_each(&check));
        }
    });
}

/// What a program printed to both streams.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a scenario of `distributed_run` in several processes, which it starts itself. Each rank writes its results into the folder.
pub fn scenario(name: &str, processes: usize, folder: &Path) -> Output {
    scenario_on("cpu", name, processes, folder)
}

fn scenario_on(accelerator: &str, name: &str, processes: usize, folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_distributed_run"));
    // products of small matrices that do not depend on the alignment of their memory, which differs in a resumed run
    command.env("MKL_CBWR", "COMPATIBLE");
    output(command.args([name, &processes.to_string(), accelerator]).current_dir(folder))
}

/// Runs a scenario that must succeed, and returns the results of each rank.
pub fn results(name: &str, processes: usize) -> Vec<serde_json::Value> {
    results_on("cpu", name, processes)
}

/// As [`results`], on an accelerator.
pub fn results_on(accelerator: &str, name: &str, processes: usize) -> Vec<serde_json::Value> {
    let folder = tempfile::tempdir().unwrap();
    results_of(name, processes, &scenario_on(accelerator, name, processes, folder.path()), folder.path())
}

/// As [`results`], in a folder that may have files of other runs.
pub fn results_in(name: &str, processes: usize, folder: &Path) -> Vec<serde_json::Value> {
    results_of(name, processes, &scenario(name, processes, folder), folder)
}

fn results_of(name: &str, processes: usize, output: &Output, folder: &Path) -> Vec<serde_json::Value> {
    assert!(output.status.success(), "{name}: {}", said(output));
    let read = |rank| std::fs::read(folder.join(format!("rank{rank}.json"))).unwrap();
    (0..processes).map(|rank| serde_json::from_slice(&read(rank)).unwrap()).collect()
}
