//! Disks that take no more.
#![cfg(unix)]

use crate::checkpoint;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use tch_lightning::prelude::*;

/// Names the file that a child of this test is to write.
const CHILD: &str = "TCH_LIGHTNING_TEST_WRITES";

fn large() -> Checkpoint {
    let mut checkpoint = checkpoint();
    checkpoint.tensors.insert("module.large".to_owned(), Tensor::ones([1 << 19], (Kind::Float, Device::Cpu)));
    checkpoint
}

/// What is asserted of a folder in which a second checkpoint found no room.
fn the_first_one_is_left_alone(folder: &Path) {
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["last.ckpt"]);
    assert_eq!(Checkpoint::read(&folder.join("last.ckpt")).unwrap().metadata.epoch, 3);
}

/// The limit on a process's files stands for a disk that is full, without one. The shell sets it, and has the signal ignored that
/// would end the process.
#[test]
fn a_file_that_may_not_grow_is_an_error_and_the_last_one_stays() {
    if let Some(path) = env::var_os(CHILD).map(PathBuf::from) {
        println!("said: {}", large().write(&path).unwrap_err());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    checkpoint().write(&folder.path().join("last.ckpt")).unwrap();
    for name in ["last.ckpt", "other.ckpt"] {
        let path = folder.path().join(name);
        let child = Command::new("sh")
            .args(["-c", "trap '' XFSZ && ulimit -f 1000 && exec \"$@\"", "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "full_disk::a_file_that_may_not_grow_is_an_error_and_the_last_one_stays", "--nocapture"])
            .env(CHILD, &path)
            .output()
            .unwrap();
        let log = String::from_utf8(child.stdout).unwrap();
        let said = format!("said: cannot write the checkpoint {}: File too large (os error 27)", path.display());
        assert!(child.status.success() && log.lines().any(|line| line == said), "{log}");
        the_first_one_is_left_alone(folder.path());
    }
}

/// A small file system of its own, unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path()).output();
        mount.is_ok_and(|mount| mount.status.success()).then(|| Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_disk_that_is_full_is_an_error_and_the_last_one_stays() {
    let Some(disk) = SmallDisk::new() else {
        println!("skipped: this user may not mount a small file system");
        return;
    };
    let folder = disk.0.path();
    checkpoint().write(&folder.join("last.ckpt")).unwrap();
    for name in ["last.ckpt", "other.ckpt"] {
        let path = folder.join(name);
        let said = large().write(&path).unwrap_err().to_string();
        assert_eq!(
            said,
            format!("cannot write the checkpoint {}: No space left on device (os error 28)", path.display())
        );
        the_first_one_is_left_alone(folder);
    }
}
