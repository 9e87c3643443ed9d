//! Runs of several processes that are interrupted and resumed.

use crate::processes::{output, said};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tch_lightning::checkpoint::{Checkpoint, ResumeGuarantee};

pub struct Ended {
    /// The results of each rank.
    pub ranks: Vec<Value>,
    /// What it printed.
    pub said: String,
}

/// Runs the program in `folder`.
pub fn run(folder: &Path, processes: usize, arguments: &[&str]) -> std::process::Output {
    std::fs::create_dir_all(folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_distributed_resume"));
    output(command.args(["--processes", &processes.to_string()]).args(arguments).current_dir(folder))
}

/// Runs the program, which must succeed.
pub fn trained(folder: &Path, processes: usize, arguments: &[&str]) -> Ended {
    let output = run(folder, processes, arguments);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    let read = |rank| std::fs::read(folder.join(format!("rank{rank}.json"))).unwrap();
    Ended { ranks: (0..processes).map(|rank| serde_json::from_slice(&read(rank)).unwrap()).collect(), said }
}

/// Resumes from a checkpoint of the run in `folder`.
pub fn resumed(folder: &Path, checkpoint: &str, processes: usize, arguments: &[&str]) -> Ended {
    let path = folder.join(checkpoint);
    let own = folder.join(format!("{processes}-after-{checkpoint}"));
    trained(&own, processes, &[&["--ckpt-path", path.to_str().unwrap()], arguments].concat())
}

/// The samples of an epoch that all ranks of a run trained on, from the first batch to the last, a list for each batch of all ranks.
fn samples(ended: &Ended, epoch: usize) -> Vec<Vec<i64>> {
    let of_rank = |rank: &Value| -> Vec<Vec<i64>> {
        let all: Vec<(usize, Vec<i64>)> = serde_json::from_value(rank["samples"].clone()).unwrap();
        all.into_iter().filter(|(of, _)| *of == epoch).map(|(_, numbers)| numbers).collect()
    };
    let ranks: Vec<Vec<Vec<i64>>> = ended.ranks.iter().map(of_rank).collect();
    (0..ranks[0].len()).map(|batch| ranks.iter().flat_map(|rank| rank[batch].clone()).collect()).collect()
}

/// Asserts that a resumed run ended as the other one, after the same batches.
pub fn assert_same(all: &Ended, resumed: &Ended) {
    for (rank, (all, resumed)) in all.ranks.iter().zip(&resumed.ranks).enumerate() {
        for name in ["weights", "metrics", "counted", "epoch", "global_step"] {
            assert_eq!(resumed[name], all[name], "{name} of rank {rank}: {:?}", (&resumed["losses"], &all["losses"]));
        }
        for (batch, loss) in resumed["losses"].as_object().unwrap() {
            assert_eq!(*loss, all["losses"][batch], "the loss of batch {batch} on rank {rank}");
        }
        let (all, resumed) = (all["rows"].as_array().unwrap(), resumed["rows"].as_array().unwrap());
        assert_eq!(resumed[..], all[all.len() - resumed.len()..], "the rows of rank {rank}");
    }
}

#[test]
fn resume_with_the_same_processes_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let all = trained(folder.path(), 2, &[]);
    // 6 batches in an epoch: within a window of 2, at its end, in another epoch, and between epochs
    for checkpoint in ["batch1.ckpt", "batch2.ckpt", "batch9.ckpt", "batch12.ckpt", "epoch0.ckpt", "epoch1.ckpt"] {
        let after = resumed(folder.path(), checkpoint, 2, &[]);
        assert_same(&all, &after);
        assert!(after.said.contains("resuming with 2 processes, as before"), "{}", after.said);
    }
    let written = Checkpoint::read(&folder.path().join("batch9.ckpt")).unwrap().metadata.processes.unwrap();
    assert_eq!(written.world_size, 2);
    assert_eq!(written.with_same_number, ResumeGuarantee::Exact);
    assert_eq!(written.with_other_number, ResumeGuarantee::EachSampleOnce);
}

#[test]
fn resume_without_a_chosen_seed_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let all = trained(folder.path(), 2, &["--unseeded"]);
    assert_same(&all, &resumed(folder.path(), "batch9.ckpt", 2, &["--unseeded"]));
}

#[test]
fn resume_of_four_processes_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let all = trained(folder.path(), 4, &["--samples", "96"]);
    assert_same(&all, &resumed(folder.path(), "batch9.ckpt", 4, &["--samples", "96"]));
}

#[test]
fn run_whose_rank_is_killed_is_resumed_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let all = trained(&folder.path().join("all"), 2, &[]);
    let killed = folder.path().join("killed");
    let output = run(&killed, 2, &["--killed-in", "10"]);
    assert!(!output.status.success(), "{}", said(&output));
    assert_same(&all, &resumed(&killed, "batch9.ckpt", 2, &[]));
}

/// Resumes from a checkpoint within epoch 1, and asserts that each sample of that epoch is trained on once.
fn each_sample_once(before: usize, after: usize, arguments: &[&str], samples_of_epoch: i64) {
    let folder = tempfile::tempdir().unwrap();
    let all = trained(folder.path(), before, arguments);
    let batches = samples(&all, 0).len();
    let within = 2;
    let checkpoint = format!("batch{}.ckpt", batches + within);
    let rest = resumed(folder.path(), &checkpoint, after, arguments);
    let mut seen: Vec<i64> = samples(&all, 1)[..within].concat();
    seen.extend(samples(&rest, 1).concat());
    seen.sort_unstable();
    assert_eq!(seen, (0..samples_of_epoch).collect::<Vec<_>>(), "{before} to {after}");
    let mut last = samples(&rest, 2).concat();
    last.sort_unstable();
    assert_eq!(last, (0..samples_of_epoch).collect::<Vec<_>>(), "the epoch after it");
    assert!(samples(&rest, 0).is_empty());
    let expected =
        "each sample of the epoch is trained on once, but random numbers are not those of an uninterrupted run";
    assert!(rest.said.contains(expected), "{}", rest.said);
    assert_eq!(rest.ranks[0]["epoch"], 3);
    // each window of two batches is a step, and the end of an epoch ends one
    let steps = |batches: usize| batches.div_ceil(2);
    let of_rest = within + samples(&rest, 1).len();
    let expected = steps(batches) + steps(of_rest) + steps(samples(&rest, 2).len());
    assert_eq!(rest.ranks[0]["global_step"], expected);
    for rank in &rest.ranks {
        assert_eq!(rank["weights"], rest.ranks[0]["weights"]);
    }
}

#[test]
fn resume_with_fewer_processes_sees_each_sample_once() {
    each_sample_once(2, 1, &[], 48);
}

#[test]
fn resume_with_more_processes_sees_each_sample_once() {
    each_sample_once(1, 2, &[], 48);
    each_sample_once(1, 2, &["--unseeded"], 48);
}

#[test]
fn resume_of_two_processes_with_four_sees_each_sample_once() {
    each_sample_once(2, 4, &[], 48);
}

#[test]
fn resume_of_four_processes_with_two_sees_each_sample_once() {
    each_sample_once(4, 2, &["--batch-size", "3"], 48);
}

#[test]
fn epoch_that_is_divided_twice_sees_each_sample_once() {
    let folder = tempfile::tempdir().unwrap();
    // epoch 1: two batches of 2 processes, one of 4, and the rest of 2; each has 4 samples
    let arguments = ["--samples", "64"];
    let two = trained(folder.path(), 2, &arguments);
    let four = resumed(folder.path(), "batch10.ckpt", 4, &arguments);
    let between = folder.path().join("4-after-batch10.ckpt");
    let rest = resumed(&between, "batch11.ckpt", 2, &arguments);
    let mut seen = samples(&two, 1)[..2].concat();
    seen.extend(samples(&four, 1)[..1].concat());
    seen.extend(samples(&rest, 1).concat());
    seen.sort_unstable();
    assert_eq!(seen, (0..64).collect::<Vec<_>>());
    // with the same number, the divided epoch continues exactly
    assert_same(&rest, &resumed(&between.join("2-after-batch11.ckpt"), "batch13.ckpt", 2, &arguments));
}

#[test]
fn resume_within_a_limited_epoch_sees_the_samples_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    // 5 of 6 batches of 2 times 4 samples
    let arguments = ["--limit", "5"];
    let all = trained(folder.path(), 2, &arguments);
    let rest = resumed(folder.path(), "batch7.ckpt", 1, &arguments);
    let mut expected = samples(&all, 1).concat();
    let mut seen = [samples(&all, 1)[..2].concat(), samples(&rest, 1).concat()].concat();
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected);
    assert_eq!(samples(&rest, 2).len(), 5, "batches of the epoch after it");
}

#[test]
fn rest_that_makes_no_batch_ends_the_epoch() {
    let folder = tempfile::tempdir().unwrap();
    // of 6 batches of 2 times 4 samples, 5 are done: the rest has 8 samples, and 4 processes need 16
    let arguments = ["--drop-last"];
    trained(folder.path(), 2, &arguments);
    let rest = resumed(folder.path(), "batch11.ckpt", 4, &arguments);
    assert_eq!((samples(&rest, 1).len(), samples(&rest, 2).len()), (0, 3));
    assert_eq!(rest.ranks[0]["epoch"], 3);
}

/// The error of resuming in `processes` from a checkpoint.
fn refused(folder: &Path, checkpoint: &str, processes: usize, arguments: &[&str]) -> String {
    let path = folder.join(checkpoint);
    let output = run(folder, processes, &[&["--ckpt-path", path.to_str().unwrap()], arguments].concat());
    assert!(!output.status.success());
    said(&output)
}

#[test]
fn data_that_cannot_be_divided_again_is_refused_within_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    for (from, what) in [("sampler", "a sampler that divides it"), ("stream", "a stream")] {
        let arguments = ["--from", from, "--samples", "32"];
        let folder = folder.path().join(from);
        trained(&folder, 2, &arguments);
        let epoch = if from == "stream" { "batch9.ckpt" } else { "batch5.ckpt" };
        let said = refused(&folder, epoch, 1, &arguments);
        let expected =
            format!("the rest of its data, that of {what}, cannot be divided among 1: resume with 2 processes");
        assert!(said.contains(&expected), "{said}");
        let written = Checkpoint::read(&folder.join(epoch)).unwrap().metadata.processes.unwrap();
        assert_eq!(written.with_other_number, ResumeGuarantee::NotWithinEpoch, "{from}");
        assert_eq!(written.with_same_number, ResumeGuarantee::Exact, "{from}");
        let between = Checkpoint::read(&folder.join("epoch0.ckpt")).unwrap().metadata.processes.unwrap();
        assert_eq!(between.with_other_number, ResumeGuarantee::EachSampleOnce, "{from}");
    }
}

#[test]
fn checkpoint_of_one_process_does_not_mention_processes() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path(), 1, &["--samples", "8", "--epochs", "1"]);
    let bytes = std::fs::read(folder.path().join("batch1.ckpt")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("train_loader"));
    for name in ["processes", "epoch_parts", "rank."] {
        assert!(!text.contains(name), "{name}");
    }
}
