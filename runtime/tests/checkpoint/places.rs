//! Paths at which checkpoints cannot be read or written.

use crate::{checkpoint, said_of};
use std::path::Path;
use std::process::Command;
use tch_lightning::checkpoint::Checkpoint;

#[test]
fn folders_and_missing_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(said_of(folder.path()), "cannot read the checkpoint FILE: it is a folder, not a file");
    assert_eq!(
        said_of(&folder.path().join("nowhere.ckpt")),
        "cannot read the checkpoint FILE: No such file or directory (os error 2)"
    );
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let no_file = "cannot read the checkpoint FILE: it is a pipe, a socket or a device, not a file";
    assert_eq!(said_of(&pipe), no_file);
    assert_eq!(said_of(Path::new("/dev/zero")), no_file);
    for written in [checkpoint().write(&pipe), checkpoint().export_weights(&pipe)] {
        let said = written.unwrap_err().to_string().replace(&pipe.display().to_string(), "FILE");
        assert_eq!(said, "cannot write the checkpoint FILE: it is a pipe, a socket or a device, not a file");
    }
    assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    let verified = Checkpoint::verify(&pipe).unwrap_err().to_string();
    assert_eq!(verified.replace(&pipe.display().to_string(), "FILE"), no_file);
}

#[test]
fn paths_below_a_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for (name, why) in
        [("file/one.ckpt", "File exists (os error 17)"), ("file/deeper/one.ckpt", "Not a directory (os error 20)")]
    {
        let path = folder.path().join(name);
        let said = checkpoint().write(&path).unwrap_err().to_string();
        assert_eq!(said, format!("cannot write the checkpoint {}: {why}", path.display()));
    }
    let there = folder.path().join("folder");
    std::fs::create_dir(&there).unwrap();
    let said = checkpoint().write(&there).unwrap_err().to_string();
    assert_eq!(said, format!("cannot write the checkpoint {}: Is a directory (os error 21)", there.display()));
}

#[cfg(unix)]
#[test]
fn missing_permissions_are_reported() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.ckpt");
    checkpoint().write(&path).unwrap();
    set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        println!("skipped: this user may read and write everything");
        return;
    }
    assert_eq!(said_of(&path), "cannot read the checkpoint FILE: Permission denied (os error 13)");
    let other = folder.path().join("two.ckpt");
    let said = checkpoint().write(&other).unwrap_err().to_string();
    set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(said, format!("cannot write the checkpoint {}: Permission denied (os error 13)", other.display()));
}
