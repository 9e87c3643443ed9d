//! The folders of a run's checkpoints, which are locked against other runs.

use crate::atomic_file::make_folders;
use crate::paths;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The prefix of the folders of runs that share a `dirpath`.
const VERSION: &str = "version_";

/// The folders that a run has locked. The locks are the operating system's, so that they end with the process, however it ends,
/// and leave no files behind.
#[derive(Default)]
pub(crate) struct Folders(Vec<Locked>);

struct Locked {
    /// The canonical path of the folder.
    folder: PathBuf,
    /// The open folder, which holds the lock; `None` if the file system or the operating system has no such locks.
    lock: Option<File>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        // closing the folder is not enough: a child process that is being started has it open as well
        if let Some(folder) = &self.lock {
            let _ = fs4::FileExt::unlock(folder);
        }
    }
}

impl Folders {
    /// Locks a folder for this run: `dirpath`, which is created if it is missing, or, while another run has locked it, the first
    /// free one of `version_1`, `version_2`, … in it.
    pub(crate) fn claim(&mut self, dirpath: &Path) -> io::Result<PathBuf> {
        let mut folder = dirpath.to_owned();
        for version in 1.. {
            make_folders(&folder)?;
            if self.lock(&folder) {
                break;
            }
            folder = dirpath.join(format!("{VERSION}{version}"));
        }
        Ok(folder)
    }

    /// Locks the folder of an earlier run. Returns `false` if another run has locked it, or if it does not exist.
    pub(crate) fn take_over(&mut self, folder: &Path) -> bool {
        folder.is_dir() && self.lock(folder)
    }

    /// Releases all locks.
    pub(crate) fn release(&mut self) {
        self.0.clear();
    }

    fn lock(&mut self, folder: &Path) -> bool {
        let resolved = paths::resolved(folder);
        if self.0.iter().any(|locked| locked.folder == resolved) {
            return true;
        }
        // if a folder cannot be opened or locked, runs are not kept apart
        let lock = File::open(folder).ok();
        match lock.as_ref().map(fs4::FileExt::try_lock) {
            Some(Err(fs4::TryLockError::WouldBlock)) => false,
            _ => {
                self.0.push(Locked { folder: resolved, lock });
                true
            }
        }
    }
}

/// Whether `folder` is one that [`Folders::claim`] returns for `dirpath`.
pub(crate) fn is_claimed_for(folder: &Path, dirpath: &Path) -> bool {
    let is_version = folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(VERSION.as_bytes()));
    let below = folder.parent().filter(|_| is_version);
    paths::is_same(folder, dirpath) || below.is_some_and(|parent| paths::is_same(parent, dirpath))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn folders_are_separate_for_each_run() {
        let root = tempfile::tempdir().unwrap();
        let dirpath = root.path().join("new/checkpoints");
        let mut runs = [const { Folders(Vec::new()) }; 3];
        let claimed = runs.each_mut().map(|run| run.claim(&dirpath).unwrap());
        assert_eq!(claimed, [dirpath.clone(), dirpath.join("version_1"), dirpath.join("version_2")]);
        assert!(claimed.iter().all(|folder| is_claimed_for(folder, &root.path().join("new/../new/checkpoints"))));
        assert!(!is_claimed_for(&dirpath.join("other"), &dirpath));
        // the same run, by another spelling
        assert_eq!(runs[1].claim(&dirpath.join("../checkpoints")).unwrap(), dirpath.join("../checkpoints/version_1"));
        let [first, second, _] = &mut runs;
        assert!(!second.take_over(&dirpath));
        assert!(!second.take_over(&dirpath.join("gone")));
        first.release();
        assert!(second.take_over(&dirpath));
    }
}
