//! Launchers, and what they get wrong.

use super::ranks::{Launcher, Ranks, python};

/// The weights that the ranks had after an epoch.
pub fn weights(said: &str, epoch: usize) -> Vec<String> {
    let of_epoch = |line: &&str| line.contains(&format!("epoch {epoch} on rank"));
    let weights = |line: &str| line.split_once("weights ").map(|(_, weights)| weights.to_owned());
    said.lines().filter(of_epoch).filter_map(weights).collect()
}

/// The number of threads that the ranks used in the first epoch.
fn threads(said: &str) -> Vec<&str> {
    let mut threads: Vec<_> =
        said.lines().filter_map(|line| line.split_once("threads on ")).map(|(_, line)| line).collect();
    threads.sort_unstable();
    threads
}

const FIT: &str = "fit --strategy STRATEGY --max-epochs 1";

#[test]
fn launchers_start_the_same_run() {
    let expected = weights(&Ranks::new(Launcher::Own, 2).run(&format!("{FIT} --seed-everything 1")).all(), 0);
    assert_eq!(expected.len(), 2);
    for launcher in [Launcher::Hand, Launcher::Srun, Launcher::Mpirun, Launcher::Torchrun] {
        if matches!(launcher, Launcher::Torchrun) && !python().exists() {
            continue;
        }
        let ended = Ranks::new(launcher, 2).run(&format!("{FIT} --seed-everything 1"));
        assert!(ended.codes.iter().all(|code| *code == 0), "{launcher:?} {ended:#?}");
        assert_eq!(weights(&ended.all(), 0), expected, "{launcher:?}");
        let lines = ended.all().lines().filter(|line| line.starts_with("2 processes: ranks 0 and 1 on ")).count();
        assert_eq!(lines, 1, "{launcher:?} {ended:#?}");
    }
}

#[test]
fn ranks_share_the_cores() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let each = (cores / 2).max(1);
    for launcher in [Launcher::Own, Launcher::Hand, Launcher::Srun, Launcher::Mpirun] {
        let ended = Ranks::new(launcher, 2).without_variable("OMP_NUM_THREADS").run(FIT);
        assert_eq!(threads(&ended.all()), [format!("rank 0: {each}"), format!("rank 1: {each}")], "{launcher:?}");
        let ended = Ranks::new(launcher, 2).with("OMP_NUM_THREADS", 2).run(FIT);
        assert_eq!(threads(&ended.all()), ["rank 0: 2", "rank 1: 2"], "{launcher:?}");
    }
}

#[test]
fn numbers_that_do_not_fit_the_launcher_are_refused() {
    let ended = Ranks::new(Launcher::Hand, 2).run("fit --devices 3");
    let mismatch =
        "`devices` is 3 and `num_nodes` 1, but 2 processes were started: remove `devices` and `num_nodes`, or start 3";
    assert_eq!(
        (ended.codes.as_slice(), ended.errors().as_slice()),
        (&[1, 1][..], &[mismatch.to_owned(), mismatch.to_owned()][..])
    );
    let ended = Ranks::new(Launcher::Own, 2).run("fit --num-nodes 2");
    assert_eq!(ended.codes, [1]);
    let alone = "`num_nodes` is 2, but no launcher has started this process: start the program on each machine with torchrun --no-python, or \
                 with srun";
    assert_eq!(ended.errors(), [alone]);
    let none = Ranks::new(Launcher::Own, 0).run("fit");
    assert_eq!(
        (none.codes.as_slice(), none.errors().as_slice()),
        (&[1][..], &["`devices` is 0: it must be auto, a count from 1, or indices such as [0]".to_owned()][..])
    );
}

#[test]
fn ranks_that_differ_are_refused_on_each() {
    let same = "start all processes with the same program and the same arguments";
    let refused = |ranks: Ranks, rank_1: &str, said: &str| {
        let ended = ranks.run_each(FIT, rank_1);
        assert_eq!(ended.codes, [1, 1], "{ended:#?}");
        let errors = ended.errors();
        assert_eq!(errors.len(), 2, "{ended:#?}");
        assert!(
            errors.iter().all(|error| error.starts_with("rank 1 on ") && error.contains(said) && error.contains(same)),
            "{ended:#?}"
        );
    };
    let by_hand = || Ranks::new(Launcher::Hand, 2);
    refused(by_hand(), "fit --strategy STRATEGY --max-epochs 2", "has `max_epochs` = 2, and rank 0 has 1");
    for (arguments, said) in [
        ("--width 2", "has `width` = 2, and rank 0 has 1"),
        ("--data.samples 62", "has `data.samples` = 62, and rank 0 has 64"),
        ("--seed-everything 2", "has `seed_everything` = 2, and rank 0 has 0"),
        ("--optimizer sgd --optimizer.lr 0.1", "has `optimizer` = {"),
        ("--early-stopping.monitor mean", "has `early_stopping` = {"),
    ] {
        refused(by_hand(), &format!("{FIT} {arguments}"), said);
    }
    let another = "fit --strategy ddp_find_unused_parameters_true --max-epochs 1";
    refused(by_hand(), another, "has `strategy");
    refused(by_hand().world_size_of_rank_1(3), FIT, "was started as one of ");
    refused(by_hand().with("FAULT", "shapes"), FIT, "has the parameter or buffer");
    refused(by_hand().with("FAULT", "program"), FIT, "runs another program than rank 0");
}

#[test]
fn rank_that_does_not_start_is_named() {
    let ended = Ranks::new(Launcher::Hand, 3).without(2).run(FIT);
    assert_eq!(ended.codes, [1, 1], "{ended:#?}");
    let errors = ended.errors();
    assert_eq!(errors.len(), 2, "{ended:#?}");
    let said = "rank 2 did not start within 5 s: see the output of its process";
    assert!(errors.iter().all(|error| error.ends_with(said)), "{ended:#?}");
    let waiting = |all: &str, line: &str| all.lines().filter(|said| said.starts_with(line)).count();
    assert_eq!(waiting(&ended.all(), "waiting for rank 2 of 3 at 127.0.0.1:"), 1, "{ended:#?}");
    let ended = Ranks::new(Launcher::Hand, 2).without(0).run(FIT);
    assert_eq!(ended.codes, [1], "{ended:#?}");
    assert_eq!(waiting(&ended.all(), "waiting for rank 0 of 2 at 127.0.0.1:"), 1, "{ended:#?}");
    assert!(ended.errors()[0].starts_with("rank 0 cannot be reached at 127.0.0.1:"), "{ended:#?}");
}

#[test]
fn verbs_of_one_program_use_the_same_ranks() {
    let ended = Ranks::new(Launcher::Own, 2).with("FAULT", "several_verbs").run("");
    assert_eq!(ended.codes, [0], "{ended:#?}");
    let all = ended.all();
    let results: Vec<_> = all.lines().filter(|line| line.contains("mean_metric")).collect();
    // both runs of both processes, also the last line of the one that was started
    assert_eq!(results.len(), 4, "{all}");
    assert!(
        results.iter().all(|line| line.ends_with(r#"{"mean_metric": 7.5, "mean": 7.5, "samples": 16.0}"#)),
        "{all}"
    );
}

#[test]
fn exit_code_of_a_launched_rank_is_that_of_the_program_if_the_first_succeeds() {
    let ended = Ranks::new(Launcher::Own, 2).fault("several_verbs", "", 1).with("EXIT", 5).run("");
    assert_eq!(ended.codes, [5], "{ended:#?}");
    let errors = ended.errors();
    assert_eq!(errors.len(), 1, "{ended:#?}");
    assert!(errors[0].starts_with("the process of rank 1 on "), "{ended:#?}");
    assert!(errors[0].ends_with(" ended with exit code 5 after the run"), "{ended:#?}");
}

#[test]
fn elastic_restart_resumes_from_the_last_checkpoint() {
    if !python().exists() {
        return;
    }
    let arguments = "fit --strategy STRATEGY --max-epochs 3 --ckpt-path last --seed-everything 1";
    let ranks =
        Ranks::new(Launcher::Torchrun, 2).fault("error", "training", 1).with("FAULT_EPOCH", 1).with("FAULT_ONCE", 1);
    let ended = ranks.run(arguments);
    assert_eq!(ended.codes, [0], "{ended:#?}");
    let whole = Ranks::new(Launcher::Own, 2).run("fit --strategy STRATEGY --max-epochs 3 --seed-everything 1");
    let all = ended.all();
    // the first epoch ran before the fault only
    assert_eq!([0, 1, 2].map(|epoch| weights(&all, epoch).len()), [2, 2, 2], "{ended:#?}");
    assert_eq!(weights(&all, 2), weights(&whole.all(), 2));
}
