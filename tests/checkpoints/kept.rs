//! Which files are kept.

use crate::model::{best, callback, config, files, trained};
use std::fs;
use std::path::Path;
use tch_lightning::callbacks::{ModelCheckpoint, SaveLast};

#[test]
fn name_with_a_folder_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = || best(folder.path(), "val_loss").filename("{epoch}-{val/loss:.3f}");
    trained(checkpoint(), config(4), &[4.0, 3.0, 2.0, 1.0], None).unwrap();
    assert_eq!(files(folder.path()), ["epoch=3-val/loss=1.000.ckpt"]);

    // the best is known in the run that resumes it
    let after = folder.path().join("epoch=3-val/loss=1.000.ckpt");
    let trainer = trained(checkpoint(), config(6), &[9.0], Some(&after)).unwrap();
    assert_eq!(files(folder.path()), ["epoch=3-val/loss=1.000.ckpt"]);
    assert_eq!(callback(&trainer).best_model_score(), Some(1.0));
    assert_eq!(callback(&trainer).best_model_path(), Some(after.as_path()));
}

#[test]
fn score_that_is_not_finite_is_known_in_the_run_that_resumes_it() {
    // a NaN counts as the worst of all numbers
    let scores = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.5];
    for (score, expected) in scores.into_iter().zip([f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, 0.5]) {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = || best(folder.path(), "val_loss").save_top_k(-1);
        trained(checkpoint(), config(1), &[score], None).unwrap();
        let first = folder.path().join("epoch=0-step=2.ckpt");
        // no epoch is left
        let trainer = trained(checkpoint(), config(1), &[score], Some(&first)).unwrap();
        assert_eq!(callback(&trainer).best_model_score(), Some(expected));
        assert_eq!(callback(&trainer).best_model_path(), Some(first.as_path()));
    }
}

/// Resumes from the checkpoint of the first epoch, which `spelled` names, and trains one epoch more.
fn left_after_resuming(spelled: impl Fn(&Path) -> std::path::PathBuf) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("ck");
    let checkpoint = || ModelCheckpoint::new().dirpath(&checkpoints).save_last(SaveLast::Link);
    trained(checkpoint(), config(1), &[1.0], None).unwrap();
    assert_eq!(files(&checkpoints), ["epoch=0-step=2.ckpt", "last.ckpt"]);
    trained(checkpoint(), config(3), &[1.0], Some(&spelled(folder.path()))).unwrap();
    files(&checkpoints)
}

#[test]
fn checkpoint_that_a_run_began_from_stays_however_it_is_spelled() {
    let expected = ["epoch=0-step=2.ckpt", "epoch=2-step=6.ckpt", "last.ckpt"];
    assert_eq!(left_after_resuming(|folder| folder.join("ck/epoch=0-step=2.ckpt")), expected);
    assert_eq!(left_after_resuming(|folder| folder.join("ck/./epoch=0-step=2.ckpt")), expected);
    assert_eq!(left_after_resuming(|folder| folder.join("ck/../ck/epoch=0-step=2.ckpt")), expected);
    assert_eq!(left_after_resuming(|folder| relative(&folder.join("ck/epoch=0-step=2.ckpt"))), expected);
}

#[cfg(unix)]
#[test]
fn checkpoint_that_a_run_began_from_stays_whichever_link_leads_to_it() {
    let expected = ["epoch=0-step=2.ckpt", "epoch=2-step=6.ckpt", "last.ckpt"];
    assert_eq!(left_after_resuming(|folder| folder.join("ck/last.ckpt")), expected);
    let through = |folder: &Path, link: &str, target: &str| {
        std::os::unix::fs::symlink(folder.join(target), folder.join(link)).unwrap();
        folder.to_owned()
    };
    let file = |folder: &Path| through(folder, "alias.ckpt", "ck/epoch=0-step=2.ckpt").join("alias.ckpt");
    assert_eq!(left_after_resuming(file), expected);
    let alias = |folder: &Path| through(folder, "alias", "ck").join("alias/epoch=0-step=2.ckpt");
    assert_eq!(left_after_resuming(alias), expected);
}

/// The path from the working directory.
fn relative(path: &Path) -> std::path::PathBuf {
    let working = std::env::current_dir().unwrap();
    let up = "../".repeat(working.components().count() - 1);
    Path::new(&up).join(path.strip_prefix("/").unwrap())
}

#[test]
fn folder_is_the_same_however_it_is_spelled() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    trained(best(&at("ck"), "val_loss"), config(2), &[3.0, 2.0], None).unwrap();
    assert_eq!(files(&at("ck")), ["epoch=1-step=4.ckpt"]);
    fs::copy(at("ck/epoch=1-step=4.ckpt"), at("begin.ckpt")).unwrap();
    for (spelled, epochs, left) in
        [(at("ck/../ck"), 3, "epoch=2-step=6.ckpt"), (relative(&at("ck")), 4, "epoch=3-step=8.ckpt")]
    {
        let begin = at("begin.ckpt");
        let trainer = trained(best(&spelled, "val_loss"), config(epochs), &[3.0, 2.0, 1.0, 0.5], Some(&begin)).unwrap();
        assert_eq!(files(&at("ck")), [left]);
        assert_eq!(callback(&trainer).best_model_path(), Some(spelled.join(left).as_path()));
        fs::copy(at("ck").join(left), &begin).unwrap();
    }
}

#[test]
fn files_of_another_folder_are_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    trained(best(&at("one"), "val_loss"), config(2), &[3.0, 2.0], None).unwrap();
    let after = at("one/epoch=1-step=4.ckpt");
    trained(best(&at("other"), "val_loss"), config(3), &[1.0], Some(&after)).unwrap();
    assert_eq!(
        (files(&at("one")), files(&at("other"))),
        (vec!["epoch=1-step=4.ckpt".into()], vec!["epoch=2-step=6.ckpt".into()])
    );
}

#[cfg(unix)]
#[test]
fn last_links_to_the_newest_checkpoint_in_a_separate_folder() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = best(folder.path(), "val_loss").filename("{epoch}-{val/loss:.3f}").save_last(SaveLast::Link);
    trained(checkpoint, config(3), &[3.0, 2.0, 1.0], None).unwrap();
    assert_eq!(files(folder.path()), ["epoch=2-val/loss=1.000.ckpt", "last.ckpt"]);
    let target = fs::read_link(folder.path().join("last.ckpt")).unwrap();
    assert_eq!(target, Path::new("epoch=2-val/loss=1.000.ckpt"));
    tch_lightning::checkpoint::Checkpoint::verify(&folder.path().join("last.ckpt")).unwrap();
}
