//! The cores that a process shares with others of its run.

use super::introduction::Introduction;
use std::{env, fs, thread};

/// Returns the cores that this process may use, as Linux lists them, such as `0-3,8`; empty on other systems.
pub(super) fn of_this_process() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.unwrap_or_default().trim().to_owned()
}

/// Gives this process its part of its cores for the threads of an operator, unless the user has chosen their number.
pub(super) fn share(own: &Introduction, all: &[Introduction]) {
    if env::var_os("OMP_NUM_THREADS").is_some() {
        return;
    }
    let processes = all.iter().filter(|other| own.shares_cores(other)).count();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = i32::try_from((cores / processes.max(1)).max(1)).unwrap_or(1);
    // a smaller number was set by the program
    if threads < tch::get_num_threads() {
        tch::set_num_threads(threads);
    }
}
