//! Faults of one process of several: all others end soon, with one error that names it.

use super::ranks::{Ended, Launcher, Ranks, python, signal};
use std::time::Duration;

/// A kind of fault.
struct Fault {
    name: &'static str,
    kind: &'static str,
    place: &'static str,
    /// The verb and its arguments.
    arguments: &'static str,
    /// What the others say of it, in part.
    said: &'static str,
    /// The exit code of the others.
    code: i32,
}

const FIT: &str = "fit --strategy STRATEGY";

const fn fault(name: &'static str, kind: &'static str, place: &'static str, said: &'static str) -> Fault {
    Fault { name, kind, place, arguments: FIT, said, code: 1 }
}

const KILLED: &str = "the process ended with signal: 9 (SIGKILL)";
const SILENT: &str = "does not respond";

/// The faults that one process of several does to itself.
const FAULTS: [Fault; 18] = [
    fault("killed in training", "kill", "training", KILLED),
    fault("killed in validation", "kill", "validation", KILLED),
    fault("killed in a checkpoint", "kill", "checkpoint", KILLED),
    fault("stopped in training", "stop", "training", SILENT),
    fault("stopped in validation", "stop", "validation", SILENT),
    fault("error in a hook", "error", "training", "this hook fails on purpose"),
    fault("error in validation", "error", "validation", "this hook fails on purpose"),
    fault("error in a checkpoint", "error", "checkpoint", "this hook fails on purpose"),
    fault("panic in a hook", "panic", "training", "this hook panics on purpose"),
    fault("panic in validation", "panic", "validation", "this hook panics on purpose"),
    fault("abort", "abort", "training", "the process ended with signal: 6 (SIGABRT)"),
    fault("exit(3) in a hook", "exit", "training", "the process ended with exit code 3 within the run"),
    fault("exit(3) in validation", "exit", "validation", "the process ended with exit code 3 within the run"),
    Fault {
        arguments: "fit --strategy STRATEGY --data.stream",
        ..fault("data fails", "error", "stream", "this hook fails on purpose")
    },
    fault("other `sync_dist` names", "names", "training", "another"),
    fault("NaN loss, stop", "nan", "training", "the loss was NaN at epoch 0, batch 3"),
    Fault { code: 143, ..fault("SIGTERM in training", "term", "training", "interrupted by SIGTERM") },
    Fault { code: 143, ..fault("SIGTERM in validation", "term", "validation", "interrupted by SIGTERM") },
];

/// Runs with a fault on a rank. By hand, each process has its own output.
fn run(fault: &Fault, launcher: Launcher, processes: usize, rank: usize) -> Ended {
    let slow = if fault.place == "validation" && fault.kind == "term" { 50 } else { 0 };
    let ranks = Ranks::new(launcher, processes).fault(fault.kind, fault.place, rank);
    ranks.with("SLOW_VALIDATION", slow).run(fault.arguments)
}

/// Fails unless all others ended as they should.
fn check(fault: &Fault, launcher: Launcher, processes: usize, faulty: usize, ended: &Ended) {
    let context = format!("{} on rank {faulty} of {processes}, {launcher:?}: {ended:#?}", fault.name);
    let is_by_hand = matches!(launcher, Launcher::Hand);
    for (_, code) in ended.codes.iter().enumerate().filter(|(rank, _)| *rank != faulty) {
        assert_eq!(*code, fault.code, "{context}");
    }
    let errors = ended.errors();
    // nobody reads what the others write if rank 0 has started them and is gone
    if is_by_hand || faulty != 0 || !matches!(fault.kind, "kill" | "abort") {
        let has_own = !matches!(fault.kind, "kill" | "stop" | "abort" | "exit");
        assert_eq!(errors.len(), processes - 1 + usize::from(has_own), "{context}");
        let naming = errors.iter().filter(|error| error.contains(&format!("rank {faulty} on "))).count();
        if fault.code == 1 && fault.kind != "names" {
            assert_eq!(naming, processes - 1, "{context}");
        }
    }
    // only the parent of a process sees how it ended
    let said = if is_by_hand && matches!(fault.kind, "kill" | "abort") { SILENT } else { fault.said };
    assert!(errors.iter().all(|error| error.contains(said)), "{context}");
    for trace in ["Exception raised from", "frame #", "terminate called", ".cpp:"] {
        assert!(!ended.all().contains(trace), "{context}");
    }
    assert!(ended.seconds < 20.0, "{context}");
}

#[test]
fn fault_of_a_rank_that_was_launched_ends_the_others() {
    for fault in &FAULTS {
        check(fault, Launcher::Own, 2, 1, &run(fault, Launcher::Own, 2, 1));
    }
}

#[test]
fn fault_of_rank_zero_that_launched_the_others_ends_them() {
    for fault in FAULTS.iter().filter(|fault| fault.kind != "stop") {
        check(fault, Launcher::Own, 2, 0, &run(fault, Launcher::Own, 2, 0));
    }
}

#[test]
fn fault_of_a_rank_that_a_launcher_started_ends_the_others() {
    for fault in &FAULTS {
        check(fault, Launcher::Hand, 2, 1, &run(fault, Launcher::Hand, 2, 1));
        check(fault, Launcher::Hand, 2, 0, &run(fault, Launcher::Hand, 2, 0));
    }
}

#[test]
fn fault_of_one_of_four_ranks_ends_the_others() {
    for kind in ["killed in training", "error in a hook", "stopped in training", "SIGTERM in validation"] {
        let fault = FAULTS.iter().find(|fault| fault.name == kind).unwrap();
        check(fault, Launcher::Own, 4, 2, &run(fault, Launcher::Own, 4, 2));
        check(fault, Launcher::Hand, 4, 2, &run(fault, Launcher::Hand, 4, 2));
    }
}

/// A run in which nothing happens by itself.
fn slow_run(launcher: Launcher, place: &str) -> Ranks {
    // the file of the fault shows that the run has come to its place
    let mut ranks =
        Ranks::new(launcher, 2).trained().fault("none", place, 1).with("SLOW", 20).with("SLOW_VALIDATION", 50);
    ranks.start(if place == "prediction" { "predict --strategy STRATEGY --data.samples 800" } else { FIT });
    ranks.wait_for_fault();
    ranks
}

#[test]
fn signal_to_the_launcher_ends_all() {
    for place in ["training", "validation", "prediction"] {
        for (name, code, said) in [("-TERM", 143, "interrupted by SIGTERM"), ("-INT", 130, "interrupted by SIGINT")] {
            let ranks = slow_run(Launcher::Own, place);
            let at = signal(ranks.pid(0), name);
            let ended = ranks.end(Some(at));
            assert_eq!(ended.codes, [code], "{place} {ended:#?}");
            assert_eq!(ended.errors().iter().filter(|error| error.contains(said)).count(), 2, "{place} {ended:#?}");
            assert!(ended.seconds < 10.0, "{ended:#?}");
        }
    }
}

#[test]
fn killed_launcher_leaves_no_process() {
    for place in ["training", "validation", "prediction"] {
        let ranks = slow_run(Launcher::Own, place);
        let at = signal(ranks.pid(0), "-KILL");
        let ended = ranks.end(Some(at));
        assert_eq!(ended.codes, [137]);
        assert!(ended.seconds < 10.0, "{ended:#?}");
    }
    // a process that waits for nothing
    let mut ranks = Ranks::new(Launcher::Own, 2).fault("sleep", "training", 1);
    ranks.start(FIT);
    ranks.wait_for_fault();
    let at = signal(ranks.pid(0), "-KILL");
    assert!(ranks.end(Some(at)).seconds < 10.0);
}

#[test]
fn faults_under_torchrun_end_all() {
    if !python().exists() {
        return;
    }
    for (kind, rank) in [("error", 1), ("kill", 0), ("kill", 1)] {
        let ended = Ranks::new(Launcher::Torchrun, 2).fault(kind, "training", rank).run(FIT);
        assert_eq!(ended.codes, [1], "{ended:#?}");
        let names = format!("error: rank {rank} on ");
        assert!(ended.all().contains(&names), "{kind} on rank {rank}: {ended:#?}");
        assert!(ended.seconds < 20.0, "{ended:#?}");
    }
}

#[test]
fn nan_loss_of_one_rank_is_skipped_by_all() {
    for (name, arguments) in [
        ("one batch", "fit --strategy ddp --max-epochs 1 --on-non-finite-loss skip-step"),
        (
            "accumulation",
            "fit --strategy ddp --max-epochs 1 --on-non-finite-loss skip-step --accumulate-grad-batches 2",
        ),
    ] {
        // within a window of accumulation, and at its end
        for place in ["training", "batch 4"] {
            let ended = Ranks::new(Launcher::Hand, 2).fault("nan", place, 1).run(arguments);
            assert_eq!(ended.codes, [0, 0], "{ended:#?}");
            let weights = ended.said.iter().map(|said| said.split_once("weights ").unwrap().1.lines().next().unwrap());
            let weights: Vec<&str> = weights.collect();
            assert_eq!(weights[0], weights[1], "{name} {place}");
            assert!(!weights[0].contains("NaN"), "{name} {place}");
            assert!(ended.said[0].contains("the loss of 1 batch was NaN or infinite"), "{name} {place} {ended:#?}");
        }
    }
}

#[test]
fn nan_loss_of_one_rank_reaches_all_if_it_is_ignored() {
    let ended = Ranks::new(Launcher::Hand, 2)
        .fault("nan", "training", 1)
        .run("fit --strategy ddp --max-epochs 1 --on-non-finite-loss ignore");
    assert_eq!(ended.codes, [0, 0], "{ended:#?}");
    assert!(ended.said.iter().all(|said| said.contains("weights [NaN")), "{ended:#?}");
}

/// Prints how long the others need to end after each kind of fault.
#[test]
#[ignore = "a measurement, by `make fault-table`"]
fn fault_table() {
    const TIMES: usize = 20;
    println!("| fault | started by | processes | tried | median | worst | said by the others |");
    println!("|---|---|---|---|---|---|---|");
    let torchrun =
        FAULTS.iter().filter(|fault| fault.place == "training" && matches!(fault.kind, "kill" | "error" | "term"));
    let rows =
        FAULTS.iter().map(|fault| (fault, Launcher::Own, 2)).chain(torchrun.map(|fault| (fault, Launcher::Hand, 4)));
    for (fault, launcher, processes) in rows {
        let runs: Vec<Ended> = (0..TIMES)
            .map(|_| {
                let ended = run(fault, launcher, processes, 1);
                check(fault, launcher, processes, 1, &ended);
                ended
            })
            .collect();
        let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let errors = runs[0].errors();
        let said = errors.iter().find(|error| error.contains("rank 1 on")).or(errors.first()).unwrap();
        let (median, worst) =
            (Duration::from_secs_f64(seconds[TIMES / 2]), Duration::from_secs_f64(seconds[TIMES - 1]));
        println!("| {} | {launcher:?} | {processes} | {TIMES} | {median:.1?} | {worst:.1?} | {said} |", fault.name);
    }
}
