//! Full disks.
#![cfg(unix)]

use crate::checkpoint;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use tch_lightning::prelude::*;

/// The variable with the name of the file that a child process of this test writes.
const CHILD: &str = "TCH_LIGHTNING_TEST_WRITES";

fn large() -> Checkpoint {
    let mut checkpoint = checkpoint();
    checkpoint.tensors.insert("module.large".to_owned(), Tensor::ones([1 << 19], (Kind::Float, Device::Cpu)));
    checkpoint
}

/// Asserts that a failed second checkpoint did not affect the first.
fn the_first_one_is_left_alone(folder: &Path) {
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["last.ckpt"]);
    assert_eq!(Checkpoint::read(&folder.join("last.ckpt")).unwrap().metadata.epoch, 3);
}

/// Simulates a full disk by a limit on the size of a process's files. The shell sets it, and ignores the signal that would end the
/// process.
#[test]
fn file_size_limit_is_an_error_and_the_last_checkpoint_stays() {
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
            .args(["--exact", "full_disk::file_size_limit_is_an_error_and_the_last_checkpoint_stays", "--nocapture"])
            .env(CHILD, &path)
            .output()
            .unwrap();
        let log = String::from_utf8(child.stdout).unwrap();
        let said = format!("said: cannot write the checkpoint {}: File too large (os error 27)", path.display());
        assert!(child.status.success() && log.lines().any(|line| line == said), "{log}");
        the_first_one_is_left_alone(folder.path());
    }
}

/// A small separate file system, unmounted at the end.
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
fn full_disk_is_an_error_and_the_last_checkpoint_stays() {
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
