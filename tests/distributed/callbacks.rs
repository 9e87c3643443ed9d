//! Callbacks in runs of two processes.

use crate::processes::{output, said};
use crate::resume::{Ended, assert_same, resumed, run, trained};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tch_lightning::checkpoint::{Checkpoint, ResumeGuarantee};

/// Runs the program with these callbacks.
fn with(folder: &Path, callbacks: &[&str], arguments: &[&str]) -> Ended {
    let callbacks: Vec<&str> = callbacks.iter().flat_map(|name| ["--callback", name]).collect();
    let ended = trained(folder, 2, &[&callbacks, arguments].concat());
    assert_eq!(ended.ranks[0]["weights"], ended.ranks[1]["weights"], "the ranks have other weights");
    ended
}

/// The names of the files in a folder, in order.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = entries.filter(|name| !name.ends_with(".lock") && !name.starts_with('.')).collect();
    files.sort();
    files
}

fn names_of_rows(rank: &Value) -> String {
    rank["rows"].to_string()
}

#[test]
fn model_checkpoint_keeps_the_best_and_links_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let ended = with(folder.path(), &["best"], &[]);
    let kept = folder.path().join("kept");
    assert_eq!(files(&kept).len(), 3, "{:?}", files(&kept));
    let link = std::fs::read_link(kept.join("last.ckpt")).unwrap();
    assert!(kept.join(link).exists());
    for name in files(&kept) {
        Checkpoint::verify(&kept.join(name)).unwrap();
    }
    assert_eq!(ended.ranks[0]["paths"], ended.ranks[1]["paths"]);
    let best = ended.ranks[0]["paths"][0].as_str().unwrap();
    assert!(folder.path().join(best).exists(), "{best}");
}

#[test]
fn model_checkpoint_ranks_by_the_values_of_rank_zero() {
    let folder = tempfile::tempdir().unwrap();
    let ended = with(folder.path(), &["own_best"], &[]);
    assert_eq!(files(&folder.path().join("kept")).len(), 2);
    assert_eq!(ended.ranks[0]["paths"], ended.ranks[1]["paths"]);
}

#[test]
fn model_checkpoint_saves_by_steps_and_by_time() {
    let folder = tempfile::tempdir().unwrap();
    with(folder.path(), &["by_steps"], &[]);
    // 9 steps
    assert_eq!(files(&folder.path().join("kept")).len(), 4);
    let other = tempfile::tempdir().unwrap();
    with(other.path(), &["by_time"], &[]);
    for name in files(&other.path().join("kept")) {
        Checkpoint::verify(&other.path().join("kept").join(name)).unwrap();
    }
}

#[test]
fn on_exception_checkpoint_of_a_rank_that_fails_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), 2, &["--callback", "on_exception", "--fails-in", "9"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(files(&folder.path().join("kept")), ["on_exception.ckpt"]);
    let written = Checkpoint::read(&folder.path().join("kept/on_exception.ckpt")).unwrap().metadata;
    assert_eq!(written.processes.unwrap().with_same_number, ResumeGuarantee::EachSampleOnce);
    let rest = resumed(folder.path(), "kept/on_exception.ckpt", 2, &[]);
    assert_eq!((&rest.ranks[0]["epoch"], &rest.ranks[0]["global_step"]), (&3.into(), &9.into()));
    assert_eq!(rest.ranks[0]["weights"], rest.ranks[1]["weights"]);
}

#[test]
fn on_exception_checkpoint_of_an_interrupted_run_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let all = trained(&folder.path().join("all"), 2, &[]);
    let output = run(folder.path(), 2, &["--callback", "on_exception", "--interrupted-in", "9"]);
    assert!(!output.status.success() && said(&output).contains("interrupted by SIGINT"), "{}", said(&output));
    assert_eq!(files(&folder.path().join("kept")), ["on_exception.ckpt"]);
    assert_same(&all, &resumed(folder.path(), "kept/on_exception.ckpt", 2, &[]));
}

#[test]
fn averaged_weights_are_the_same_on_all_ranks_and_resumed_exactly() {
    for callback in ["ema", "swa"] {
        let folder = tempfile::tempdir().unwrap();
        let all = with(folder.path(), &[callback], &[]);
        assert_same(&all, &resumed(folder.path(), "batch9.ckpt", 2, &["--callback", callback]));
    }
}

#[test]
fn monitors_write_the_rows_of_rank_zero() {
    let folder = tempfile::tempdir().unwrap();
    let ended = with(folder.path(), &["rates", "throughput", "device", "gradients"], &[]);
    let rows = names_of_rows(&ended.ranks[0]);
    for name in ["lr-AdamW", "samples_per_sec", "DeviceStatsMonitor.on_train_batch_start/cpu_percent", "grad_norm"] {
        assert!(rows.contains(name), "{name}: {rows}");
    }
    assert_eq!(names_of_rows(&ended.ranks[1]), "[]");
}

#[test]
fn backbone_finetuning_trains_the_backbone_from_its_epoch_on() {
    let folder = tempfile::tempdir().unwrap();
    with(folder.path(), &["finetuning"], &[]);
    let backbone = |name: &str| {
        let checkpoint = Checkpoint::read(&folder.path().join(name)).unwrap();
        Vec::<f32>::try_from(checkpoint.tensors["module.first.weight"].flatten(0, -1)).unwrap()
    };
    assert_eq!(backbone("batch1.ckpt"), backbone("batch6.ckpt"));
    assert_ne!(backbone("batch6.ckpt"), backbone("batch12.ckpt"));
    let ended = with(folder.path(), &["finetuning"], &[]);
    assert_same(&ended, &resumed(folder.path(), "batch9.ckpt", 2, &["--callback", "finetuning"]));
    assert_same(&ended, &resumed(folder.path(), "batch5.ckpt", 2, &["--callback", "finetuning"]));
}

#[test]
fn gradient_accumulation_scheduler_counts_the_batches_of_each_rank() {
    let folder = tempfile::tempdir().unwrap();
    let ended = with(folder.path(), &["accumulation"], &["--accumulate", "1"]);
    // 6 steps, and twice 2
    assert_eq!(ended.ranks[0]["global_step"], 10);
    assert_same(
        &ended,
        &resumed(folder.path(), "batch8.ckpt", 2, &["--callback", "accumulation", "--accumulate", "1"]),
    );
}

#[test]
fn timer_ends_all_ranks_after_the_same_step() {
    let folder = tempfile::tempdir().unwrap();
    let ended = with(folder.path(), &["timer"], &["--epochs", "1000"]);
    assert_eq!(ended.ranks[0]["global_step"], ended.ranks[1]["global_step"]);
    assert!(ended.said.contains("the time limit of"), "{}", ended.said);
}

#[test]
fn finders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["lr_find", "scale_batch_size"] {
        let output = run(folder.path(), 2, &["--instead", name]);
        let expected = format!("`{name}` cannot be used with 2 processes: use it in a program of one process");
        assert!(!output.status.success() && said(&output).contains(&expected), "{}", said(&output));
    }
}

#[test]
fn predictions_are_made_once_by_one_rank() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), 2, &["--instead", "predict", "--samples", "11"]);
    assert!(output.status.success(), "{}", said(&output));
    let read = |rank: usize| -> Vec<i64> {
        let bytes = std::fs::read(folder.path().join(format!("predictions_{rank}.json"))).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    assert_eq!((read(0), read(1)), (vec![0, 2, 4, 6, 8, 10], vec![1, 3, 5, 7, 9]));
}

#[test]
fn test_after_fit_takes_the_same_checkpoint_on_all_ranks() {
    for ckpt_path in ["best", "last"] {
        let folder = tempfile::tempdir().unwrap();
        let ended = with(folder.path(), &["best"], &["--then-test", ckpt_path]);
        let tested = |rank: usize| &ended.ranks[rank]["tested"];
        assert_eq!(tested(0), tested(1));
        assert!(tested(0)[0].as_str().unwrap().ends_with(".ckpt"));
    }
}

#[test]
fn program_prints_the_result_of_an_evaluation_once() {
    let folder = tempfile::tempdir().unwrap();
    let program = |verb: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_configured"));
        let command = command.arg(verb).args(["--devices", "2", "--strategy", "ddp"]).args(more);
        let output = output(command.current_dir(folder.path()));
        assert!(output.status.success(), "{}", said(&output));
        output
    };
    program("fit", &["--max-epochs", "1"]);
    for (verb, name) in [("validate", "val_loss"), ("test", "test_loss")] {
        let printed = String::from_utf8(program(verb, &[]).stdout).unwrap();
        assert_eq!(printed.matches(name).count(), 1, "{printed}");
    }
}
