//! Files that are whole or not there.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::Builder;

/// How the names of files that are being written begin.
const INCOMING: &str = ".incoming-";

/// How long nothing is written to a file before its writer counts as dead. A living one never pauses for so long.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Writes a file beside its place, forces it to the disk, moves it there, and forces the folder to the disk too. Where anything
/// fails, what was there before is untouched.
pub(crate) fn write(path: &Path, contents: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    // as any other file is made: with what the umask leaves, and errors without the passing name
    let mut file = Builder::new().prefix(INCOMING).make_in(folder, |incoming| File::create_new(incoming))?;
    contents(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync(folder)
}

/// Makes `path` a symbolic link to `target`, relative where both are in one folder, and a copy on systems without links. What was
/// there before is there until then.
pub(crate) fn link(path: &Path, target: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    #[cfg(unix)]
    let make = |incoming: &Path| {
        let is_beside = folder == folder_of(target);
        let shown = target.file_name().map(Path::new).filter(|_| is_beside).unwrap_or(target);
        std::os::unix::fs::symlink(shown, incoming)
    };
    #[cfg(not(unix))]
    let make = |incoming: &Path| fs::copy(target, incoming).map(drop);
    Builder::new().prefix(INCOMING).make_in(folder, make)?.into_temp_path().persist(path)?;
    sync(folder)
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes the files in a folder whose writers were killed in the middle, once nobody has written to them for a day. It is a
/// favour to the disk: what can't be removed stays.
pub(crate) fn remove_abandoned(folder: &Path) {
    let is_abandoned = |entry: &fs::DirEntry| {
        let written = entry.metadata().ok().filter(fs::Metadata::is_file).and_then(|file| file.modified().ok());
        let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
        entry.file_name().as_encoded_bytes().starts_with(INCOMING.as_bytes()) && age.is_some_and(|age| age > ABANDONED)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_abandoned) {
        let _ = fs::remove_file(entry.path());
    }
}

/// Forces the names in a folder to the disk: until then a power cut can undo the move.
fn sync(folder: &Path) -> io::Result<()> {
    // elsewhere a folder can't be opened as a file
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        // some network file systems know no such thing
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_killed_writers_left_is_removed_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, hours: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
        };
        make(".incoming-old", 25);
        make(".incoming-new", 23);
        make("old.ckpt", 1000);
        fs::create_dir(folder.path().join(".incoming-folder")).unwrap();
        remove_abandoned(folder.path());
        let left = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut left: Vec<String> = left.collect();
        left.sort();
        assert_eq!(left, [".incoming-folder", ".incoming-new", "old.ckpt"]);
        remove_abandoned(&folder.path().join("nowhere"));
    }

    #[test]
    fn a_file_that_fails_in_the_middle_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, |file| file.write_all(b"first")).unwrap();
        let failed = write(&path, |file| {
            file.write_all(b"sec")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
