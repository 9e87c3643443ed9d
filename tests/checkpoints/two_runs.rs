//! Two runs that write to one folder.

use crate::model::{Counting, callback, config, files, trained};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use tch_lightning::callbacks::{LambdaCallback, ModelCheckpoint};
use tch_lightning::prelude::*;

fn newest(folder: &Path) -> ModelCheckpoint {
    ModelCheckpoint::new().dirpath(folder).filename("same").save_last(true)
}

fn weight_in(path: &Path) -> f64 {
    Checkpoint::read(path).unwrap().tensors["module.weight"].double_value(&[0])
}

/// Trains with a weight that begins at `weight`, and grows by 2 with each epoch.
fn best_of(folder: &Path, weight: f64, between: impl FnMut() + 'static) -> (PathBuf, PathBuf) {
    let mut between = between;
    let hook = LambdaCallback::new().on_train_epoch_start(move |_, _: &mut Counting| {
        between();
        Ok(())
    });
    let mut trainer = Trainer::new(config(3)).callback(hook).callback(newest(folder));
    trainer.fit(&mut Counting::beginning_at(weight), ()).unwrap();
    let checkpoint = callback(&trainer);
    (checkpoint.best_model_path().unwrap().to_owned(), checkpoint.last_model_path().unwrap().to_owned())
}

#[test]
fn runs_at_the_same_time_keep_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let root = folder.path();
    let (one, other) = std::thread::scope(|scope| {
        let run = |weight: f64| {
            let barrier = Arc::clone(&barrier);
            scope.spawn(move || best_of(root, weight, move || _ = barrier.wait()))
        };
        let (one, other) = (run(100.0), run(200.0));
        (one.join().unwrap(), other.join().unwrap())
    });
    assert_eq!((weight_in(&one.0), weight_in(&one.1)), (106.0, 106.0));
    assert_eq!((weight_in(&other.0), weight_in(&other.1)), (206.0, 206.0));
    assert_eq!(files(root), ["last.ckpt", "same.ckpt", "version_1/last.ckpt", "version_1/same.ckpt"]);
}

#[test]
fn run_within_a_run_removes_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let inner = {
        let root = root.clone();
        move || {
            let (path, _) = best_of(&root, 500.0, || {});
            assert_eq!(weight_in(&path), 506.0);
        }
    };
    let (path, _) = best_of(&root, 100.0, inner);
    assert_eq!(weight_in(&path), 106.0);
}

#[test]
fn run_that_resumes_one_that_still_runs_leaves_its_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let resumes = {
        let root = root.clone();
        move || {
            let after = root.join("same.ckpt");
            if after.exists() {
                let checkpoint = ModelCheckpoint::new().dirpath(&root).filename("other");
                trained(checkpoint, config(4), &[1.0], Some(&after)).unwrap();
                assert!(after.exists());
            }
        }
    };
    let (path, _) = best_of(&root, 100.0, resumes);
    assert_eq!(weight_in(&path), 106.0);
}

#[test]
fn run_has_the_folder_again_once_the_other_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = || ModelCheckpoint::new().dirpath(folder.path());
    let ended = trained(checkpoint(), config(1), &[1.0], None).unwrap();
    let after = folder.path().join("epoch=0-step=2.ckpt");
    // the trainer of the first is still there
    let resumed = trained(checkpoint(), config(2), &[1.0], Some(&after)).unwrap();
    let expected = folder.path().join("epoch=1-step=4.ckpt");
    assert_eq!(callback(&resumed).best_model_path(), Some(expected.as_path()));
    assert_eq!(files(folder.path()), ["epoch=0-step=2.ckpt", "epoch=1-step=4.ckpt"]);
    drop(ended);
}

#[test]
fn run_that_failed_leaves_the_folder_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let fails = LambdaCallback::new()
        .on_train_epoch_start(|ctx, _: &mut Counting| if ctx.current_epoch() == 1 { bail!("no more") } else { Ok(()) });
    let mut failed = Trainer::new(config(3)).callback(fails).callback(ModelCheckpoint::new().dirpath(folder.path()));
    failed.fit(&mut Counting::new(&[1.0]), ()).unwrap_err();
    let after = folder.path().join("epoch=0-step=2.ckpt");
    trained(ModelCheckpoint::new().dirpath(folder.path()), config(3), &[1.0], Some(&after)).unwrap();
    assert_eq!(files(folder.path()), ["epoch=0-step=2.ckpt", "epoch=2-step=6.ckpt"]);
}
