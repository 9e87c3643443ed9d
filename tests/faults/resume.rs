//! A run that goes on from a checkpoint does, bit for bit, what the run does that wrote it.
#![allow(missing_docs)]

mod model;

use model::{Trace, checkpoints, train};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tch_lightning::{Every, ModelCheckpoint};

const SEED: i64 = 11;

/// libtorch's random numbers are the process's, so that the runs of two tests would disturb each other.
static ALONE: Mutex<()> = Mutex::new(());

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files
}

/// Resumes from every checkpoint of a run, and holds weights, rows and hooks against those of the run itself.
fn every_checkpoint_goes_on(when: impl Fn(ModelCheckpoint) -> ModelCheckpoint, expected: usize) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let whole = Trace::default();
    let callback = |folder: &Path| vec![when(checkpoints(folder))];
    let weights = train(SEED, &whole, callback(&folder.path().join("whole")), None).unwrap();
    let whole = whole.behind("on_train_start");
    let files = files(&folder.path().join("whole"));
    assert_eq!(files.len(), expected);
    let mut beginnings = HashSet::new();
    for file in &files {
        let resumed = Trace::default();
        let folder = tempfile::tempdir().unwrap();
        let resumed_weights = train(SEED + 1, &resumed, callback(folder.path()), Some(file)).unwrap();
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
fn a_run_goes_on_after_any_batch() {
    every_checkpoint_goes_on(|checkpoint| checkpoint.every(Every::Batches(1)), 3 * 13);
}

#[test]
fn a_run_goes_on_after_any_validation() {
    every_checkpoint_goes_on(|checkpoint| checkpoint.save_on_train_epoch_end(false), 3 * 2);
}

#[test]
fn a_run_goes_on_after_any_epoch() {
    every_checkpoint_goes_on(|checkpoint| checkpoint.save_on_train_epoch_end(true), 3);
}
