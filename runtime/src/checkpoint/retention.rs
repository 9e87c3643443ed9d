//! Links to new checkpoints, and the removal of older ones.

use super::{Checkpoint, CheckpointError};
use crate::atomic_file;
use std::path::{Path, PathBuf};

/// Older checkpoints that are removed after a newer one has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outdated {
    pub(crate) newer: PathBuf,
    pub(crate) older: Vec<PathBuf>,
}

impl Outdated {
    /// Verifies the newer checkpoint, then removes the older ones in order.
    pub(crate) fn remove(&self) -> Result<(), CheckpointError> {
        if self.older.is_empty() {
            return Ok(());
        }
        Checkpoint::verify(&self.newer)?;
        self.older.iter().try_for_each(|path| remove(path))
    }
}

/// Makes `path` a link to the checkpoint `target`, replacing an existing file.
pub(crate) fn link(path: &Path, target: &Path) -> Result<(), CheckpointError> {
    atomic_file::link(path, target).map_err(|source| CheckpointError::Link { path: path.to_owned(), source })
}

/// Removes an older checkpoint. A missing file is not an error.
pub(crate) fn remove(path: &Path) -> Result<(), CheckpointError> {
    atomic_file::remove(path).map_err(|source| CheckpointError::Remove { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn remove_older(newer: &Path, older: &[PathBuf]) -> Result<(), CheckpointError> {
        Outdated { newer: newer.to_owned(), older: older.to_owned() }.remove()
    }

    #[test]
    fn older_checkpoints_stay_if_the_new_one_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let [older, new] = ["older.ckpt", "new.ckpt"].map(|name| folder.path().join(name));
        Checkpoint::default().write(&older).unwrap();
        let mut bytes = Checkpoint::default().to_bytes().unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&new, &bytes).unwrap();
        let said = remove_older(&new, std::slice::from_ref(&older)).unwrap_err().to_string();
        assert!(said.starts_with(&format!("the checkpoint {} is damaged", new.display())), "{said}");
        Checkpoint::verify(&older).unwrap();
        Checkpoint::default().write(&new).unwrap();
        remove_older(&new, &[folder.path().join("gone already"), older.clone()]).unwrap();
        assert!(!older.exists());
    }

    #[test]
    fn failed_removal_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.ckpt");
        Checkpoint::default().write(&path).unwrap();
        let said = remove_older(&path, &[folder.path().to_owned()]).unwrap_err().to_string();
        let shown = folder.path().display();
        assert_eq!(said, format!("cannot remove the older checkpoint {shown}: Is a directory (os error 21)"));
    }

    #[cfg(unix)]
    #[test]
    fn link_is_replaced_and_never_dangles() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("one.ckpt"), "one").unwrap();
        fs::write(at("two.ckpt"), "two").unwrap();
        fs::write(at("last.ckpt"), "a file").unwrap();
        for name in ["one", "two"] {
            link(&at("last.ckpt"), &at(&format!("{name}.ckpt"))).unwrap();
            assert_eq!(fs::read_to_string(at("last.ckpt")).unwrap(), name);
        }
        assert_eq!(fs::read_link(at("last.ckpt")).unwrap(), Path::new("two.ckpt"));
        let said = link(&at("last.ckpt"), &at("nowhere.ckpt")).unwrap_err().to_string();
        let shown = at("last.ckpt");
        assert_eq!(said, format!("cannot create the link {}: No such file or directory (os error 2)", shown.display()));
        assert_eq!(fs::read_to_string(at("last.ckpt")).unwrap(), "two");
    }
}
