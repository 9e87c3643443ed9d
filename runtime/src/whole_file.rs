//! Files that are whole or not there.

use std::fs::File;
use std::io;
use std::path::Path;
use tempfile::Builder;

/// Writes a file beside its place, forces it to the disk and moves it there. Where anything fails, what was there before is
/// untouched.
pub(crate) fn write(path: &Path, contents: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // as any other file: what the umask leaves
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".incoming-").tempfile_in(folder)?;
    contents(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
