//! The folders of a run's checkpoints, which no other run writes to as long as it lasts.

use crate::atomic_file::make_folders;
use crate::location;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The names of the folders for runs that share a `dirpath` begin so.
const VERSION: &str = "version_";

/// The folders that a run has to itself. They are locked through the operating system, so that the lock ends with its process,
/// however that ends, and leaves nothing behind.
#[derive(Default)]
pub(crate) struct Folders(Vec<Locked>);

struct Locked {
    /// The one spelling of the folder's path.
    folder: PathBuf,
    /// The open folder, which holds the lock; `None` where the file system or the system has no such locks.
    lock: Option<File>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        // closing the folder is not enough: a child process that is just being started has it open too
        if let Some(folder) = &self.lock {
            let _ = fs4::FileExt::unlock(folder);
        }
    }
}

impl Folders {
    /// A folder that this run has to itself: `dirpath`, which is made where it is missing, or, while another run has that, the first
    /// of `version_1`, `version_2`, … in it that is free.
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

    /// Takes over the folder of an earlier run. It fails while another run has it, and where it is gone.
    pub(crate) fn take_over(&mut self, folder: &Path) -> bool {
        folder.is_dir() && self.lock(folder)
    }

    /// Ends all locks.
    pub(crate) fn release(&mut self) {
        self.0.clear();
    }

    fn lock(&mut self, folder: &Path) -> bool {
        let resolved = location::resolved(folder);
        if self.0.iter().any(|locked| locked.folder == resolved) {
            return true;
        }
        // where a folder can't be opened, or can't be locked, runs are not kept apart
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

/// Whether `folder` is one that [`Folders::claim`] gives for `dirpath`.
pub(crate) fn is_claimed_for(folder: &Path, dirpath: &Path) -> bool {
    let is_version = folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(VERSION.as_bytes()));
    let below = folder.parent().filter(|_| is_version);
    location::is_same(folder, dirpath) || below.is_some_and(|parent| location::is_same(parent, dirpath))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn each_run_has_a_folder_of_its_own() {
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
