//! Files that grow by records, and lose those after a checkpoint when a run resumes from it.

use crate::{atomic_file, regular_file};
use std::io;
use std::path::{Path, PathBuf};

/// A file of records of any format.
#[derive(Debug)]
pub(super) struct AppendedFile {
    path: PathBuf,
    /// The number of bytes that are part of the log.
    length: u64,
    /// Whether the file may have other contents, which the first record removes.
    has_rest: bool,
    /// Whether records were written that a power cut may undo.
    is_unsaved: bool,
}

impl AppendedFile {
    /// Returns a file of which the first `length` bytes are part of the log. What follows them is removed with the first record, and not
    /// before: a resumed run that fails at once loses nothing.
    pub(super) fn new(path: PathBuf, length: u64) -> Self {
        Self { path, length, has_rest: true, is_unsaved: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends a record, all of it or nothing.
    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        self.remove_rest()?;
        atomic_file::append(&self.path, record)?;
        self.length += u64::try_from(record.len()).unwrap_or(u64::MAX);
        self.is_unsaved = true;
        Ok(())
    }

    /// Removes what is not part of the log, and creates the file if it is missing.
    pub(super) fn remove_rest(&mut self) -> io::Result<()> {
        if !self.has_rest {
            return Ok(());
        }
        let found = regular_file::open(&self.path).and_then(|file| Ok(file.metadata()?.len()));
        match found {
            Ok(length) if length > self.length => atomic_file::truncate(&self.path, self.length)?,
            // a part of the log that is missing cannot be restored
            Ok(length) => self.length = length,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                atomic_file::write(&self.path, |_| Ok(()))?;
                self.length = 0;
            }
            Err(error) => return Err(error),
        }
        self.has_rest = false;
        self.is_unsaved = true;
        Ok(())
    }

    /// Forces the records to the disk.
    pub(super) fn save(&mut self) -> io::Result<()> {
        if self.is_unsaved {
            atomic_file::sync(&self.path)?;
            self.is_unsaved = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn appended_file_keeps_what_a_checkpoint_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = AppendedFile::new(path.clone(), 0);
        file.append(b"one,").unwrap();
        let length = file.length();
        file.append(b"two,").unwrap();
        let mut resumed = AppendedFile::new(path.clone(), length);
        assert_eq!(fs::read(&path).unwrap(), b"one,two,");
        resumed.append(b"other").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one,other");
        assert_eq!(resumed.length(), 9);
    }
}
