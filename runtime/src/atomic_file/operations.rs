//! The primitive file operations. Tests record them, and replay what a power cut after each of them would leave.

#[cfg(test)]
use super::recorded::{Operation, record};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use tempfile::TempPath;

/// Writes and syncs the newly created file at `path`.
pub(super) fn write_new(
    file: &mut File,
    path: &Path,
    contents: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    contents(file)?;
    #[cfg(test)]
    record(|| Operation::Write(path.to_owned(), fs::read(path).unwrap_or_default()));
    sync_file(file, path)
}

/// Appends all of `bytes` to a file or nothing: a full disk must not leave half a row.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().append(true).open(path)?;
    let before = file.metadata()?.len();
    file.write_all(bytes).inspect_err(|_| drop(file.set_len(before)))?;
    #[cfg(test)]
    record(|| Operation::Change(path.to_owned(), fs::read(path).unwrap_or_default()));
    Ok(())
}

/// Truncates a file to `length` bytes.
pub(crate) fn truncate(path: &Path, length: u64) -> io::Result<()> {
    File::options().write(true).open(path)?.set_len(length)?;
    #[cfg(test)]
    record(|| Operation::Change(path.to_owned(), fs::read(path).unwrap_or_default()));
    Ok(())
}

/// Syncs the contents of a file.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    sync_file(&File::open(path)?, path)
}

fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    #[cfg(test)]
    record(|| Operation::SyncFile(path.to_owned()));
    let _ = path;
    Ok(())
}

/// Syncs the names in a folder: until then a power cut can undo what was created, renamed or removed in it.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // elsewhere a folder cannot be opened as a file
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        // some network file systems cannot
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {}
        synced => synced?,
    }
    #[cfg(test)]
    record(|| Operation::SyncFolder(folder.to_owned()));
    Ok(())
}

/// Renames a temporary file to `path`, and replaces the file there.
pub(super) fn move_to(incoming: TempPath, path: &Path) -> io::Result<()> {
    #[cfg(test)]
    let from = incoming.to_path_buf();
    incoming.persist(path)?;
    #[cfg(test)]
    record(|| Operation::Rename(from, path.to_owned()));
    Ok(())
}

#[cfg(unix)]
pub(super) fn make_link(path: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)?;
    #[cfg(test)]
    record(|| Operation::Link(path.to_owned(), target.to_owned()));
    Ok(())
}

/// Creates a folder in an existing one, and syncs its name.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    #[cfg(test)]
    record(|| Operation::MakeFolder(folder.to_owned()));
    sync_folder(super::folder_of(folder))
}

/// Removes a file or a link. A missing one is not an error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    #[cfg(test)]
    record(|| Operation::Remove(path.to_owned()));
    Ok(())
}
