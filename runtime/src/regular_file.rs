//! Files that are found by their names in a folder, which may be something else: opening a pipe waits for a writer, perhaps forever,
//! reading a device may never end, and a device that a file replaces is lost to all programs of the machine.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// Opens a file that was found in a folder. A pipe, a socket or a device is an error.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    refuse_others(fs::metadata(path)?.file_type())?;
    File::open(path)
}

/// Returns an error for a pipe, a socket or a device. For a folder, the system's own error is better.
pub(crate) fn refuse_others(kind: FileType) -> io::Result<()> {
    if kind.is_file() || kind.is_dir() || kind.is_symlink() {
        return Ok(());
    }
    Err(io::Error::other("it is a pipe, a socket or a device, not a file"))
}

/// Reads a file that was found in a folder, as [`open`] does.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the text of a file that was found in a folder, as [`open`] does.
pub(crate) fn read_to_string(path: &Path) -> io::Result<String> {
    io::read_to_string(open(path)?)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn read_does_not_wait_for_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let said = read(&path).unwrap_err().to_string();
        assert_eq!(said, "it is a pipe, a socket or a device, not a file");
        assert!(read_to_string(Path::new("/dev/zero")).is_err());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "step\n").unwrap();
        assert_eq!((read(&path).unwrap(), read_to_string(&path).unwrap()), (b"step\n".to_vec(), "step\n".to_owned()));
    }
}
