//! Processes that do not call the same operations end soon, each with the same sentence about what they call.

use super::processes::side_by_side;
use super::ranks::{Ended, Launcher, Ranks};

/// A way in which the processes differ.
struct Case {
    name: &'static str,
    /// What all of them say, in part.
    said: &'static [&'static str],
}

const fn case(name: &'static str, said: &'static [&'static str]) -> Case {
    Case { name, said }
}

const SAME_ORDER: &str = ": all processes must call the same operations in the same order";
const SAME_NAMES: &str = ": all processes of a run must log the same values with `sync_dist` and the same metrics";

const CASES: [Case; 28] = [
    case(
        "shapes",
        &[
            "rank 0 called `all_gather` in `on_train_epoch_end` (",
            "disagreeing.rs:",
            ") with a tensor Float [2, 3], and rank 1 with a tensor Float [2, 4]: all processes must call it with a tensor of the same shape and dtype",
        ],
    ),
    case(
        "dtypes",
        &[
            " with a tensor Float [2], and rank 1 with a tensor Int64 [2]: all processes must call it with a tensor of the same",
        ],
    ),
    case(
        "barrier on one",
        &["rank 0 called `barrier` in `on_train_epoch_end` (", "), while rank 1 was joining logged values", SAME_ORDER],
    ),
    case(
        "barrier on the last",
        &["rank 0 was joining logged values, while rank 1 called `barrier` in `on_train_epoch_end` (", SAME_ORDER],
    ),
    case("gather on one", &["while rank 1 called `gather` in `on_train_epoch_end` (", SAME_ORDER]),
    case(
        "two operations",
        &[
            "rank 0 called `barrier` in `on_train_epoch_end` (",
            "), while rank 1 called `all_gather` in `on_train_epoch_end` (",
            SAME_ORDER,
        ],
    ),
    case("barrier in two hooks", &["while rank 1 called `barrier` in `on_validation_epoch_end` (", SAME_ORDER]),
    case(
        "barrier in a step of one",
        &["rank 0 called `barrier` in `training_step` (", "while rank 1 was averaging gradients", SAME_ORDER],
    ),
    case(
        "swallowed",
        &["rank 0 called `barrier` in `training_step` (", "while rank 1 was averaging gradients", SAME_ORDER],
    ),
    case(
        "broadcast after the fit of one",
        &["rank 0 called `broadcast` in `on_fit_end` (", "while rank 1 was ending the run", SAME_ORDER],
    ),
    case(
        "save on one",
        &[
            "rank 0 was averaging gradients, while rank 1 called `save_checkpoint` in `on_train_batch_end` (",
            "disagreeing.rs:",
            SAME_ORDER,
        ],
    ),
    case("save in another batch", &["rank 0 called `save_checkpoint` in `on_train_batch_end` (", SAME_ORDER]),
    // the trainer's own operations, which are not compared before
    case("norm on one", &["rank 0 was normalizing a batch, while rank 1 was averaging gradients", SAME_ORDER]),
    case("backward on one", &["rank 0 was averaging gradients, while rank 1 was joining logged values", SAME_ORDER]),
    case("log on one", &["`loss_of_one in training_step` was logged on rank 0, but not on rank 1", SAME_NAMES]),
    case("metric on one", &["`mean_of_one in training_step` was logged on rank 1, but not on rank 0", SAME_NAMES]),
    case(
        "log at the end of one",
        &["`end_of_one in on_train_epoch_end` was logged on rank 0, but not on rank 1", SAME_NAMES],
    ),
    case(
        "other name",
        &[
            "`loss in training_step` was logged on rank 0, but not on rank 1, which logged `lossy in training_step`",
            SAME_NAMES,
        ],
    ),
    // what makes the replicas differ
    case("frozen parameter", &["`layer.bias` is frozen on rank 1, but trained on rank 0: set `requires_grad`"]),
    case("frozen in an epoch", &["`layer.bias` is frozen on rank 1, but trained on rank 0: set `requires_grad`"]),
    case(
        "learning rate",
        &[
            "rank 1 on ",
            " has `optimizers[0].param_groups[0].lr` = 0.5 after `configure_optimizers`, and rank 0 has 0.01, so that",
        ],
    ),
    case(
        "algorithm",
        &[
            " has `optimizers[0].param_groups[0].algorithm` = \"AdamW\" after `configure_optimizers`, and rank 0 has \"SGD\"",
        ],
    ),
    case("scheduler", &[" has `lr_schedulers` = 1 after `configure_optimizers`, and rank 0 has 0, so that"]),
    case(
        "samples",
        &[
            "rank 1 on ",
            " has 8 samples in 4 batches of each process in `train_dataloader`, and rank 0 has 10 samples in 5 batches",
        ],
    ),
    case(
        "batch size",
        &[" has 10 samples in 3 batches of each process in `train_dataloader`, and rank 0 has 10 samples in 5 batches"],
    ),
    case(
        "validation samples",
        &[" has 6 samples in 3 batches of each process in `val_dataloader`, and rank 0 has 4 samples in 2 batches"],
    ),
    case(
        "changed parameter",
        &["the parameters of rank 1 on ", " differ from rank 0's, first in `layer.weight`: change parameters in all"],
    ),
    case(
        "step on one",
        &[
            "rank 1 on ",
            " has made 4 optimizer steps in this run, and rank 0 5 optimizer steps, so that their parameters",
        ],
    ),
];

/// With a timeout that is longer than a test may take: the processes learn of it before.
const FIT: &str = "fit --strategy LONG";

fn run(name: &str, launcher: Launcher, processes: usize) -> Ended {
    Ranks::new(launcher, processes).program(env!("CARGO_BIN_EXE_disagreeing_ranks")).with("CASE", name).run(FIT)
}

fn check(case: &Case, launcher: Launcher, processes: usize) {
    let ended = run(case.name, launcher, processes);
    let context = format!("{}, {launcher:?}, {processes}: {ended:#?}", case.name);
    assert!(ended.codes.iter().all(|code| *code == 1), "{context}");
    let errors = ended.errors();
    assert_eq!(errors.len(), processes, "{context}");
    if processes == 2 {
        for said in case.said {
            assert!(errors.iter().all(|error| error.contains(said)), "`{said}` {context}");
        }
    }
    for raw in ["gloo", "terminate called", "Connection closed", ".cc:", ".cpp:", "does not respond"] {
        assert!(!ended.all().contains(raw), "{context}");
    }
    assert!(ended.seconds < 25.0, "{context}");
}

#[test]
fn processes_that_call_different_operations_end_with_one_sentence() {
    side_by_side(&CASES, |case| check(case, Launcher::Hand, 2));
}

#[test]
fn processes_that_rank_zero_started_end_with_one_sentence() {
    let names = ["shapes", "barrier on the last", "save on one"];
    side_by_side(CASES.iter().filter(|case| names.contains(&case.name)), |case| check(case, Launcher::Own, 2));
}

#[test]
fn four_processes_that_call_different_operations_end_with_one_sentence() {
    let names = ["shapes", "barrier on one", "barrier on the last", "two operations", "swallowed", "save on one"];
    side_by_side(CASES.iter().filter(|case| names.contains(&case.name)), |case| check(case, Launcher::Hand, 4));
}

#[test]
fn processes_may_have_other_parameters_if_the_strategy_says_so() {
    let ended = Ranks::new(Launcher::Hand, 2)
        .program(env!("CARGO_BIN_EXE_disagreeing_ranks"))
        .with("CASE", "changed parameter")
        .run("fit --strategy DIFFERING");
    assert_eq!(ended.codes, [0, 0], "{ended:#?}");
    // of two epochs, by rank 0 alone
    let warning =
        "warning: `own` is logged without `sync_dist`, so that the value of an epoch is that of rank 0's samples";
    assert_eq!(ended.all().matches(warning).count(), 1, "{ended:#?}");
}

#[test]
fn operations_of_all_processes_have_their_values() {
    for processes in [2, 4] {
        let ended = run("all", Launcher::Hand, processes);
        assert_eq!(ended.codes, vec![0; processes], "{ended:#?}");
        let sum = processes * (processes - 1);
        let lengths: Vec<usize> = (0..processes).map(|rank| 100 * rank).collect();
        for (rank, said) in ended.said.iter().enumerate() {
            let line = format!("rank {rank}: sum {sum}, [{processes}, 1, 2], lengths {lengths:?}, yyy");
            assert_eq!(said.lines().filter(|said| **said == line).count(), 2, "{line}: {ended:#?}");
        }
    }
}

#[test]
fn process_that_is_held_up_before_an_operation_is_named_with_it() {
    let ended = Ranks::new(Launcher::Hand, 2)
        .program(env!("CARGO_BIN_EXE_disagreeing_ranks"))
        .with("CASE", "held up before a barrier")
        .run("fit --strategy STRATEGY");
    assert_eq!(ended.codes, [1, 1], "{ended:#?}");
    let said = "did not take part within 5 s in `barrier` in `on_train_epoch_end` (";
    assert!(ended.errors().iter().all(|error| error.contains("rank 1 on ") && error.contains(said)), "{ended:#?}");
}

#[test]
fn processes_that_run_different_verbs_are_refused_at_the_start() {
    for (verb, of_rank_1) in [("fit", "validate"), ("validate", "test"), ("test", "predict")] {
        let arguments = |verb| format!("{verb} --strategy STRATEGY");
        let ended = Ranks::new(Launcher::Hand, 2).trained().run_each(&arguments(verb), &arguments(of_rank_1));
        assert_eq!(ended.codes, [1, 1], "{ended:#?}");
        assert_eq!(ended.errors().len(), 2, "{ended:#?}");
        let said = format!(" runs `{of_rank_1}`, and rank 0 runs `{verb}`: start all processes with the same program");
        assert!(ended.errors().iter().all(|error| error.contains(&said)), "{ended:#?}");
    }
}
