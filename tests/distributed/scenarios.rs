//! The scenarios of `distributed_run`, and their results in one process and in several.

use super::processes::{output, said};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A scenario, and the numbers of processes in which it succeeds.
type Listed = (&'static str, &'static [usize]);

/// The scenarios that succeed, in their order: one may read a file of those before it.
const SCENARIOS: [Listed; 34] = [
    ("plain", &[1, 2, 4]),
    ("plain_accumulation", &[1, 2, 4]),
    ("plain_accumulation_3", &[1, 2, 4]),
    ("unused", &[1, 2, 4]),
    ("unused_accumulation", &[1, 2, 4]),
    ("unused_accumulation_3", &[1, 2, 4]),
    ("static_graph", &[1, 2, 4]),
    ("static_graph_accumulation", &[1, 2, 4]),
    ("static_graph_accumulation_3", &[1, 2, 4]),
    ("static_graph_and_unused", &[1, 2, 4]),
    ("static_graph_and_unused_accumulation", &[1, 2, 4]),
    ("static_graph_and_unused_accumulation_3", &[1, 2, 4]),
    ("views", &[1, 2, 4]),
    ("views_accumulation_3", &[1, 2, 4]),
    ("sync_batch_norm", &[1, 2, 4]),
    ("bf16", &[2]),
    ("buffers", &[2]),
    ("no_loss", &[2]),
    ("observed", &[2]),
    ("weighted", &[1, 2, 4]),
    ("weighted_accumulation", &[1, 2, 4]),
    ("weighted_accumulation_3", &[1, 2, 4]),
    ("no_sync_halves", &[1, 2, 4]),
    ("no_sync_windows", &[1, 2, 4]),
    ("no_sync_resumed", &[1, 2, 4]),
    ("no_sync_unused", &[1, 2, 4]),
    ("no_sync_static_graph", &[1, 2, 4]),
    ("no_sync_views", &[1, 2, 4]),
    ("no_sync_skips_2", &[1, 2]),
    ("no_sync_skips_4", &[1, 4]),
    ("no_sync_ahead", &[2]),
    ("no_sync_stop", &[2]),
    ("no_sync_nan", &[2]),
    // refused in several processes
    ("no_sync_step_of_local_gradients", &[1]),
];

/// Runs scenarios one after another in several processes, which the program starts itself. Each rank writes its results into the folder.
fn run(accelerator: &str, processes: usize, names: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_distributed_run"));
    // products of small matrices that do not depend on the alignment of their memory, which differs in a resumed run
    command.env("MKL_CBWR", "COMPATIBLE");
    output(command.args([accelerator, &processes.to_string()]).args(names).current_dir(folder))
}

/// Runs a scenario on its own.
pub fn scenario(name: &str, processes: usize, folder: &Path) -> Output {
    run("cpu", processes, &[name], folder)
}

/// What came of a start.
struct Ended {
    /// The results of each rank, by scenario.
    results: BTreeMap<&'static str, Vec<Value>>,
    output: Output,
}

/// Returns the results of each rank for a scenario of the list. All of the list are run by one start of the processes, as the start takes
/// longer than a scenario.
///
/// # Panics
/// If it failed, or one before it.
pub fn results(name: &str, processes: usize) -> Vec<Value> {
    let ended = ended(processes);
    let results = ended.results.get(name).cloned();
    results.unwrap_or_else(|| panic!("{name} with {processes}: {}", said(&ended.output)))
}

/// Returns what came of all scenarios of the list in this number of processes.
fn ended(processes: usize) -> &'static Ended {
    static ENDED: [OnceLock<Ended>; 3] = [const { OnceLock::new() }; 3];
    ENDED[processes.ilog2() as usize].get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<&str> = listed(processes).collect();
        let output = run("cpu", processes, &names, folder.path());
        let results = listed(processes).filter_map(|name| Some((name, read(name, processes, folder.path())?)));
        Ended { results: results.collect(), output }
    })
}

/// The scenarios that succeed in this number of processes.
fn listed(processes: usize) -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().filter(move |(_, numbers)| numbers.contains(&processes)).map(|(name, _)| *name)
}

/// Returns the results of each rank on an accelerator.
pub fn results_on(accelerator: &str, name: &str, processes: usize) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let output = run(accelerator, processes, &[name], folder.path());
    assert!(output.status.success(), "{name} on {accelerator}: {}", said(&output));
    read(name, processes, folder.path()).unwrap_or_else(|| panic!("{name} on {accelerator}: {}", said(&output)))
}

/// Reads the results of each rank, which it writes when it has ended a scenario.
fn read(name: &str, processes: usize, folder: &Path) -> Option<Vec<Value>> {
    let read = |rank| std::fs::read(folder.join(format!("{name}.rank{rank}.json"))).ok();
    (0..processes).map(|rank| Some(serde_json::from_slice(&read(rank)?).unwrap())).collect()
}

#[test]
fn scenarios_of_one_start_all_succeed() {
    for processes in [1, 2, 4] {
        listed(processes).for_each(|name| _ = results(name, processes));
        // also after the last results were written
        let output = &ended(processes).output;
        assert!(output.status.success(), "{processes}: {}", said(output));
    }
}
