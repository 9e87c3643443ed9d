//! The single steps of which changes to a folder are made. Tests record them, to replay what a power cut would leave of each
//! beginning of a run.

#[cfg(test)]
use super::recorded::{Operation, record};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use tempfile::TempPath;

/// Writes the file at `path`, which was just made, and forces its contents to the disk.
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

/// Appends all of it to a file, or nothing: a disk that is full must not leave half a row.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().append(true).open(path)?;
    let before = file.metadata()?.len();
    file.write_all(bytes).inspect_err(|_| drop(file.set_len(before)))?;
    #[cfg(test)]
    record(|| Operation::Change(path.to_owned(), fs::read(path).unwrap_or_default()));
    Ok(())
}

/// Cuts a file off after so many bytes.
pub(crate) fn truncate(path: &Path, length: u64) -> io::Result<()> {
    File::options().write(true).open(path)?.set_len(length)?;
    #[cfg(test)]
    record(|| Operation::Change(path.to_owned(), fs::read(path).unwrap_or_default()));
    Ok(())
}

/// Forces the contents of a file to the disk.
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

/// Forces the names in a folder to the disk: until then a power cut can undo what was made, renamed or removed in it.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // elsewhere a folder can't be opened as a file
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        // some network file systems can't
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {}
        synced => synced?,
    }
    #[cfg(test)]
    record(|| Operation::SyncFolder(folder.to_owned()));
    Ok(())
}

/// Gives a temporary file its name, in place of the file that has it.
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

/// Makes a folder in one that is there, and forces its name to the disk.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    #[cfg(test)]
    record(|| Operation::MakeFolder(folder.to_owned()));
    sync_folder(super::folder_of(folder))
}

/// Removes a file or a link. One that is gone already is not an error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    #[cfg(test)]
    record(|| Operation::Remove(path.to_owned()));
    Ok(())
}
