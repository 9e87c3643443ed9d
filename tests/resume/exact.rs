//! A run that goes on from a checkpoint does, bit for bit, what the run does that wrote it.
#![allow(missing_docs)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tch_lightning::{Every, callbacks::ModelCheckpoint};
use tests::resume::{Trace, Training, Weights, checkpoints};

const SEED: i64 = 11;

/// libtorch's random numbers are the process's, so that the runs of two tests would disturb each other.
static ALONE: Mutex<()> = Mutex::new(());

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files
}

fn trained(seed: i64, trace: &Trace, checkpoints: ModelCheckpoint, after: Option<&Path>) -> Weights {
    Training { seed, epochs: 3, trace, checkpoints, async_checkpointing: false, averages: false, after, devices: 1 }
        .run()
        .unwrap()
}

/// Resumes from every checkpoint of a run, and holds weights, rows and hooks against those of the run itself.
fn every_checkpoint_goes_on(when: impl Fn(ModelCheckpoint) -> ModelCheckpoint, expected: usize) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let whole = Trace::default();
    let weights = trained(SEED, &whole, when(checkpoints(&folder.path().join("whole"))), None);
    let whole = whole.behind("on_train_start");
    let files = files(&folder.path().join("whole"));
    assert_eq!(files.len(), expected);
    let mut beginnings = HashSet::new();
    for file in &files {
        let resumed = Trace::default();
        let folder = tempfile::tempdir().unwrap();
        let resumed_weights = trained(SEED + 1, &resumed, when(checkpoints(folder.path())), Some(file));
        let resumed = resumed.behind("on_train_start");
        let tail = &whole[whole.len() - resumed.len().min(whole.len())..];
        for (place, (resumed, whole)) in resumed.iter().zip(tail).enumerate() {
            assert_eq!(resumed, whole, "after {}, line {place}", file.display());
        }
        assert!(resumed_weights == weights, "after {} the weights differ", file.display());
        beginnings.insert(whole.len() - resumed.len());
    }
    assert_eq!(beginnings.len(), files.len(), "each checkpoint is at a place of its own");
}

#[test]
fn run_resumes_after_any_batch() {
    every_checkpoint_goes_on(|checkpoint| checkpoint.every(Every::Batches(1)), 3 * 13);
}

#[test]
fn run_resumes_after_any_validation() {
    every_checkpoint_goes_on(|checkpoint| checkpoint.save_on_train_epoch_end(false), 3 * 2);
}

#[test]
fn run_resumes_after_any_epoch() {
    every_checkpoint_goes_on(|checkpoint| checkpoint.save_on_train_epoch_end(true), 3);
}

#[test]
fn thread_writes_the_same_files() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("checkpoints");
    let written = |async_checkpointing| {
        let checkpoints = checkpoints(&folder).every(Every::Batches(6));
        let trace = Trace::default();
        Training {
            seed: SEED,
            epochs: 2,
            trace: &trace,
            checkpoints,
            async_checkpointing,
            averages: false,
            after: None,
            devices: 1,
        }
        .run()
        .unwrap();
        let contents: Vec<_> = files(&folder).iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        contents
    };
    let by_thread = written(true);
    assert_eq!(by_thread.len(), 26 / 6);
    assert!(by_thread == written(false));
}

#[test]
fn error_of_the_thread_is_the_error_of_the_run() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.ckpt");
    std::fs::create_dir(&path).unwrap();
    let mut checkpoints = checkpoints(folder.path()).every(Every::Batches(6)).filename("one");
    checkpoints.enable_version_counter = false;
    let trace = Trace::default();
    let training = Training {
        seed: SEED,
        epochs: 1,
        trace: &trace,
        checkpoints,
        async_checkpointing: true,
        averages: false,
        after: None,
        devices: 1,
    };
    let said = training.run().unwrap_err().to_string();
    assert_eq!(said, format!("cannot write the checkpoint {}: Is a directory (os error 21)", path.display()));
}
