//! Faults of one process of several: all others end soon, with one error that names it.

use super::processes::side_by_side;
use super::ranks::{Ended, Launcher, Ranks, python};

/// A kind of fault.
pub struct Fault {
    pub name: &'static str,
    pub kind: &'static str,
    pub place: &'static str,
    /// The verb and its arguments.
    arguments: &'static str,
    /// What the others say of it, in part.
    said: &'static str,
    /// The exit code of the others.
    code: i32,
}

pub const FIT: &str = "fit --strategy STRATEGY";

const fn fault(name: &'static str, kind: &'static str, place: &'static str, said: &'static str) -> Fault {
    Fault { name, kind, place, arguments: FIT, said, code: 1 }
}

const KILLED: &str = "the process ended with signal: 9 (SIGKILL)";
const SILENT: &str = "does not respond";
const HELD_UP: &str = "did not take part within 5 s in ";

/// The faults that one process of several does to itself.
pub const FAULTS: [Fault; 20] = [
    fault("killed in training", "kill", "training", KILLED),
    fault("killed in validation", "kill", "validation", KILLED),
    fault("killed in a checkpoint", "kill", "checkpoint", KILLED),
    fault("stopped in training", "stop", "training", SILENT),
    fault("stopped in validation", "stop", "validation", SILENT),
    fault("held up in training", "sleep", "training", HELD_UP),
    fault("held up in validation", "sleep", "validation", HELD_UP),
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
pub fn run(fault: &Fault, launcher: Launcher, processes: usize, rank: usize) -> Ended {
    let slow = if fault.place == "validation" && fault.kind == "term" { 50 } else { 0 };
    let ranks = Ranks::new(launcher, processes).fault(fault.kind, fault.place, rank);
    ranks.with("SLOW_VALIDATION", slow).run(fault.arguments)
}

/// Fails unless all others ended as they should.
pub fn check(fault: &Fault, launcher: Launcher, processes: usize, faulty: usize, ended: &Ended) {
    let context = format!("{} on rank {faulty} of {processes}, {launcher:?}: {ended:#?}", fault.name);
    let is_by_hand = matches!(launcher, Launcher::Hand);
    for (_, code) in ended.codes.iter().enumerate().filter(|(rank, _)| *rank != faulty) {
        assert_eq!(*code, fault.code, "{context}");
    }
    let errors = ended.errors();
    // nobody reads what the others write if rank 0 has started them and is gone
    if is_by_hand || faulty != 0 || !matches!(fault.kind, "kill" | "abort") {
        let has_own = !matches!(fault.kind, "kill" | "stop" | "abort" | "exit");
        // ranks from 2 on leave it to ranks 0 and 1 to print an error of another rank, where these read what they write
        let are_read = matches!(launcher, Launcher::Own);
        let is_printing = |rank: &usize| *rank != faulty && (!are_read || *rank < 2);
        let printing = (0..processes).filter(is_printing).count();
        assert_eq!(errors.len(), printing + usize::from(has_own), "{context}");
        let naming = errors.iter().filter(|error| error.contains(&format!("rank {faulty} on "))).count();
        if fault.code == 1 && fault.kind != "names" {
            let names_itself = has_own && fault.kind == "sleep";
            assert_eq!(naming, printing + usize::from(names_itself), "{context}");
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
    side_by_side(&FAULTS, |fault| check(fault, Launcher::Own, 2, 1, &run(fault, Launcher::Own, 2, 1)));
}

#[test]
fn fault_of_rank_zero_that_launched_the_others_ends_them() {
    side_by_side(FAULTS.iter().filter(|fault| fault.kind != "stop"), |fault| {
        check(fault, Launcher::Own, 2, 0, &run(fault, Launcher::Own, 2, 0))
    });
}

#[test]
fn fault_of_a_rank_that_a_launcher_started_ends_the_others() {
    side_by_side(&FAULTS, |fault| {
        check(fault, Launcher::Hand, 2, 1, &run(fault, Launcher::Hand, 2, 1));
        check(fault, Launcher::Hand, 2, 0, &run(fault, Launcher::Hand, 2, 0));
    });
}

#[test]
fn fault_of_one_of_four_ranks_ends_the_others() {
    let kinds = [
        "killed in training",
        "held up in training",
        "error in a hook",
        "stopped in training",
        "SIGTERM in validation",
    ];
    let faults = kinds.map(|kind| FAULTS.iter().find(|fault| fault.name == kind).unwrap());
    side_by_side(faults, |fault| {
        check(fault, Launcher::Own, 4, 2, &run(fault, Launcher::Own, 4, 2));
        check(fault, Launcher::Hand, 4, 2, &run(fault, Launcher::Hand, 4, 2));
    });
}

#[test]
fn child_of_a_process_that_has_ended_holds_up_nobody() {
    let cases = [
        (Launcher::Own, "child", "this hook fails on purpose"),
        (Launcher::Own, "killed with child", KILLED),
        (Launcher::Hand, "child", "this hook fails on purpose"),
        (Launcher::Hand, "killed with child", SILENT),
    ];
    side_by_side(cases, |(launcher, kind, said)| {
        for rank in [0, 1] {
            let ended = Ranks::new(launcher, 2).fault(kind, "training", rank).run("fit --strategy LONG");
            let context = format!("{launcher:?} {kind} on rank {rank}: {ended:#?}");
            // nobody reads what the others write if rank 0 has started them and is gone
            let is_heard = matches!(launcher, Launcher::Hand) || rank == 1;
            assert!(!is_heard || ended.errors().iter().any(|error| error.contains(said)), "{context}");
            // the timeout is 50 s, and the child lives for 40 s
            assert!(ended.seconds < 20.0, "{context}");
        }
    });
}

#[test]
fn process_that_is_held_up_is_named_with_its_hook_and_batch() {
    side_by_side([(Launcher::Own, 2), (Launcher::Hand, 2), (Launcher::Hand, 4)], |(launcher, processes)| {
        let ended = Ranks::new(launcher, processes).fault("sleep", "training", 1).run(FIT);
        let said = "held up in `training_step` at batch 3";
        assert!(ended.errors().iter().all(|error| error.contains(said)), "{ended:#?}");
        // the timeout of 5 s, 5 s after it, and the time of a machine with other work
        assert!(ended.seconds < 13.0, "{launcher:?} {processes}: {ended:#?}");
    });
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
