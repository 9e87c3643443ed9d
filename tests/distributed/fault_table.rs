//! How long the other processes need to end after each kind of fault.

use super::faults::{FAULTS, check, run};
use super::launcher_faults::{self, LAUNCHER_FAULTS};
use super::ranks::{Ended, Launcher, Ranks};
use std::time::Duration;

const TIMES: usize = 20;

/// Prints a row of runs with the same fault.
fn row(name: &str, (launcher, processes): (Launcher, usize), mut run: impl FnMut() -> Ended) {
    let runs: Vec<Ended> = (0..TIMES).map(|_| run()).collect();
    let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let errors = runs[0].errors();
    let said = errors.iter().find(|error| error.contains("rank 1 on")).or(errors.first()).map_or("", String::as_str);
    let (median, worst) = (Duration::from_secs_f64(seconds[TIMES / 2]), Duration::from_secs_f64(seconds[TIMES - 1]));
    println!("| {name} | {launcher:?} | {processes} | {TIMES} | {median:.1?} | {worst:.1?} | {said} |");
}

/// With `ROWS`, only the faults whose names contain one of its words, separated by commas.
#[test]
#[ignore = "a measurement, by `make fault-table`"]
fn fault_table() {
    let rows = std::env::var("ROWS").unwrap_or_default();
    let is_asked_for = |name: &str| rows.split(',').any(|row| name.contains(row));
    println!("| fault | started by | processes | tried | median | worst | said by the others |");
    println!("|---|---|---|---|---|---|---|");
    let of_four =
        FAULTS.iter().filter(|fault| fault.place == "training" && matches!(fault.kind, "kill" | "error" | "term"));
    let faults =
        FAULTS.iter().map(|fault| (fault, Launcher::Own, 2)).chain(of_four.map(|fault| (fault, Launcher::Hand, 4)));
    for (fault, launcher, processes) in faults.filter(|(fault, ..)| is_asked_for(fault.name)) {
        row(fault.name, (launcher, processes), || {
            let ended = run(fault, launcher, processes, 1);
            check(fault, launcher, processes, 1, &ended);
            ended
        });
    }
    for fault in LAUNCHER_FAULTS.iter().filter(|fault| is_asked_for(fault.name)) {
        row(fault.name, (fault.launcher, 2), || launcher_faults::run(fault));
    }
    const SHORT: &str = "data ends earlier (not a fault)";
    if is_asked_for(SHORT) {
        row(SHORT, (Launcher::Own, 2), || {
            let ended = Ranks::new(Launcher::Own, 2)
                .fault("short", "stream", 1)
                .run("fit --strategy STRATEGY --data.stream --max-epochs 2");
            assert_eq!((ended.codes.as_slice(), ended.errors().len()), ([0].as_slice(), 0), "{ended:#?}");
            ended
        });
    }
}
