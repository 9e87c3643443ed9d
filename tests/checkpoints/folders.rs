//! Folders that checkpoints can be written to, and those that they cannot.

use crate::model::{Counting, best, callback, config, files, trained};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tch_lightning::callbacks::{ModelCheckpoint, OnExceptionCheckpoint, SaveLast};
use tch_lightning::prelude::*;

#[cfg(target_os = "linux")]
#[test]
fn folder_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"ck-\xff"));
    let checkpoint = || best(&path, "val_loss").save_last(SaveLast::Link);
    trained(checkpoint(), config(2), &[3.0, 2.0], None).unwrap();
    assert_eq!(files(&path), ["epoch=1-step=4.ckpt", "last.ckpt"]);
    let after = folder.path().join("begin.ckpt");
    fs::rename(path.join("epoch=1-step=4.ckpt"), &after).unwrap();
    let trainer = trained(checkpoint(), config(3), &[9.0], Some(&after)).unwrap();
    // the state was read again: 2.0 is still the best
    assert_eq!(callback(&trainer).best_model_score(), Some(2.0));
    assert_eq!(callback(&trainer).best_model_path(), Some(path.join("epoch=1-step=4.ckpt").as_path()));

    let root = folder.path().join(std::ffi::OsStr::from_bytes(b"root-\xff"));
    let config = TrainerConfig { default_root_dir: root.clone(), logger: true.into(), ..config(2) };
    trained(ModelCheckpoint::new(), config, &[1.0], None).unwrap();
    assert_eq!(files(&root.join("lightning_logs/version_0/checkpoints")), ["epoch=1-step=4.ckpt"]);
}

/// What is said of a run that cannot begin, and that nothing was made for it.
fn refused(folder: &Path, trainer: Trainer<Counting>) -> String {
    let before = files(folder);
    let mut trainer = trainer;
    let error = trainer.fit(&mut Counting::new(&[1.0]), ()).unwrap_err().to_string();
    assert_eq!(trainer.context().global_step(), 0, "{error}");
    assert_eq!(files(folder), before);
    error.replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn folder_that_cannot_exist_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "").unwrap();
    let said = |dirpath: PathBuf| {
        refused(folder.path(), Trainer::new(config(1)).callback(ModelCheckpoint::new().dirpath(dirpath)))
    };
    let of = "checkpoints cannot be written to";
    assert_eq!(said(at("file")), format!("{of} FOLDER/file: not a directory"));
    assert_eq!(said(at("file/below")), format!("{of} FOLDER/file/below: Not a directory (os error 20)"));
    let long = "a".repeat(256);
    assert_eq!(said(at(&long)), format!("{of} FOLDER/{long}: File name too long (os error 36)"));

    let exception = OnExceptionCheckpoint::new(at("file"));
    assert_eq!(
        refused(folder.path(), Trainer::new(config(1)).callback(exception)),
        format!("{of} FOLDER/file: not a directory")
    );
    let config = TrainerConfig { default_root_dir: at("file"), ..config(1) };
    assert_eq!(refused(folder.path(), Trainer::new(config)), format!("{of} FOLDER/file: not a directory"));
}

#[cfg(target_os = "linux")]
#[test]
fn folder_that_nothing_can_be_made_in_is_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = ModelCheckpoint::new().dirpath("/proc/checkpoints");
    let said = refused(folder.path(), Trainer::new(config(1)).callback(checkpoint));
    assert!(said.starts_with("checkpoints cannot be written to /proc: "), "{said}");
    std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
    let checkpoint = ModelCheckpoint::new().dirpath(folder.path().join("link"));
    let said = refused(folder.path(), Trainer::new(config(1)).callback(checkpoint));
    assert!(said.ends_with("cannot be written to FOLDER/link: No such file or directory (os error 2)"), "{said}");
}

#[cfg(unix)]
#[test]
fn files_of_killed_runs_are_removed_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let checkpoints = [at("ck"), at("lightning_logs/version_0"), at("lightning_logs/version_0/checkpoints")];
    for place in &checkpoints {
        fs::create_dir_all(place).unwrap();
        for (name, days) in [("old", 2), ("new", 0)] {
            let (file, link) = (place.join(format!(".incoming-{name}")), place.join(format!(".incoming-{name}-link")));
            fs::write(&file, "").unwrap();
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            let ago = format!("{days} days ago");
            let touched = Command::new("touch").args(["-h", "-d", &ago]).args([file, link]).status().unwrap();
            assert!(touched.success());
        }
    }
    let config = TrainerConfig { default_root_dir: folder.path().to_owned(), logger: true.into(), ..config(1) };
    trained(ModelCheckpoint::new().dirpath(at("ck")), config, &[1.0], None).unwrap();
    for place in &checkpoints {
        let mut left = files(place);
        left.retain(|name| name.starts_with(".incoming-"));
        assert_eq!(left, [".incoming-new", ".incoming-new-link"], "in {}", place.display());
    }
}
