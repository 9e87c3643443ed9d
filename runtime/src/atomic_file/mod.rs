//! Atomic file replacement: write to a temporary file, fsync, rename.
//!
//! A run changes the folders of its checkpoints only by these functions, so that the order of their [`operations`] decides what a
//! kill or a power cut leaves.

mod operations;
#[cfg(test)]
pub(crate) mod recorded;

use crate::regular_file;
use operations::{move_to, sync_folder, write_new};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::Builder;

pub(crate) use operations::{append, make_folder, remove, sync, truncate};

/// The prefix of the names of temporary files.
const INCOMING: &str = ".incoming-";

/// The age at which a temporary file counts as abandoned. A running writer never pauses for that long.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Writes a temporary file next to `path`, syncs it, renames it to `path`, and syncs the folder. On an error the previous file at
/// `path` is unchanged.
///
/// A symbolic link stays, and the file that it names is replaced, as `cp` writes. A pipe, a socket or a device is an error.
pub(crate) fn write(path: &Path, contents: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(io::Error::other("it is a symbolic link to a file that does not exist"))
            }
            named => replace(&named?, contents),
        },
        _ => replace(path, contents),
    }
}

/// Writes a file as [`write`] does, but replaces a symbolic link: a `last.ckpt` may be a link to another checkpoint, which must stay.
pub(crate) fn replace(path: &Path, contents: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    refuse_others_at(path)?;
    let folder = folder_of(path);
    // as any other file is made: with what the umask leaves, and errors without the temporary name
    let mut file = Builder::new().prefix(INCOMING).make_in(folder, |incoming| File::create_new(incoming))?;
    let at = file.path().to_owned();
    write_new(file.as_file_mut(), &at, contents)?;
    move_to(file.into_temp_path(), path)?;
    tidy(folder)
}

/// Replaces `path` atomically by a symbolic link to the file `target`, or by a copy on systems without links. The link is relative if
/// the target lies below the link's folder, so that both can be moved together, and absolute otherwise.
pub(crate) fn link(path: &Path, target: &Path) -> io::Result<()> {
    refuse_others_at(path)?;
    let folder = folder_of(path);
    let target = fs::canonicalize(target)?;
    #[cfg(unix)]
    let make = {
        let shown = target.strip_prefix(fs::canonicalize(folder)?).unwrap_or(&target);
        |incoming: &Path| operations::make_link(incoming, shown)
    };
    #[cfg(not(unix))]
    let make = |incoming: &Path| {
        let copied = |file: &mut File| io::copy(&mut File::open(&target)?, file).map(drop);
        write_new(&mut File::create_new(incoming)?, incoming, copied)
    };
    let incoming = Builder::new().prefix(INCOMING).make_in(folder, make)?;
    move_to(incoming.into_temp_path(), path)?;
    tidy(folder)
}

/// Returns an error if there is something at `path` that a renamed file must not replace.
fn refuse_others_at(path: &Path) -> io::Result<()> {
    // of what a link leads to: a link such as /dev/stdout must stay as well
    fs::metadata(path).map_or(Ok(()), |found| regular_file::refuse_others(found.file_type()))
}

/// Creates a folder and its missing parents, and syncs the parent of each: until then a power cut can remove the folder together with
/// the synced files in it.
pub(crate) fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let made = match make_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folders(folder_of(folder)).and_then(|()| make_folder(folder))
        }
        made => made,
    };
    match made {
        // another process has made it
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Checks that files can be created in a folder, which need not exist yet, without leaving anything there.
///
/// # Errors
/// The path that refuses, and the reason.
pub(crate) fn check_folder(folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |error| (path, error)
    };
    for folder in folder.ancestors() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(folder)(error)),
            Ok(_) => {
                let is_folder = fs::metadata(folder).map_err(failed(folder))?.is_dir();
                let made =
                    if is_folder { tempfile::tempfile_in(folder) } else { Err(io::ErrorKind::NotADirectory.into()) };
                return made.map(drop).map_err(failed(folder));
            }
        }
    }
    Ok(())
}

/// Returns the folder that contains a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs a folder, and removes the temporary files that killed processes left there.
fn tidy(folder: &Path) -> io::Result<()> {
    sync_folder(folder)?;
    remove_abandoned(folder);
    Ok(())
}

/// Removes the temporary files and links that were last written more than a day ago: their writers were killed before the rename.
/// Errors are ignored.
pub(crate) fn remove_abandoned(folder: &Path) {
    let is_abandoned = |entry: &fs::DirEntry| {
        // of the link itself, not of its target
        let written = entry.metadata().ok().filter(|entry| !entry.is_dir()).and_then(|file| file.modified().ok());
        let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
        age.is_some_and(|age| age > ABANDONED)
    };
    let incoming = |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(INCOMING.as_bytes());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if incoming(&entry) && is_abandoned(&entry) {
            let _ = remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn temporary_files_of_killed_writers_are_removed_after_a_day() {
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
    fn file_whose_writing_fails_leaves_the_previous_one() {
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

    #[cfg(unix)]
    #[test]
    fn pipe_is_not_replaced() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let [pipe, to_pipe, target] = ["pipe", "to_pipe", "target"].map(|name| folder.path().join(name));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        symlink("pipe", &to_pipe).unwrap();
        fs::write(&target, "kept").unwrap();
        for path in [&pipe, &to_pipe] {
            let written: [fn(&Path) -> io::Result<()>; 2] =
                [|path| write(path, |_| Ok(())), |path| replace(path, |_| Ok(()))];
            for refused in [written[0](path), written[1](path), link(path, &target)] {
                assert_eq!(refused.unwrap_err().to_string(), "it is a pipe, a socket or a device, not a file");
            }
        }
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(fs::read_link(&to_pipe).unwrap(), Path::new("pipe"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn link_stays_and_the_file_that_it_names_is_written() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("disk")).unwrap();
        fs::write(at("disk/file"), "before").unwrap();
        symlink("disk/file", at("link")).unwrap();
        write(&at("link"), |file| file.write_all(b"after")).unwrap();
        assert_eq!(fs::read_link(at("link")).unwrap(), Path::new("disk/file"));
        assert_eq!(fs::read_to_string(at("disk/file")).unwrap(), "after");

        replace(&at("link"), |file| file.write_all(b"own")).unwrap();
        assert!(fs::symlink_metadata(at("link")).unwrap().is_file());
        assert_eq!(fs::read_to_string(at("disk/file")).unwrap(), "after");

        for (name, target, said) in [
            ("dangling", "nowhere", "it is a symbolic link to a file that does not exist"),
            ("to_folder", "disk", "Is a directory (os error 21)"),
        ] {
            symlink(target, at(name)).unwrap();
            let refused = write(&at(name), |_| Ok(())).unwrap_err();
            assert_eq!(refused.to_string(), said);
            assert_eq!(fs::read_link(at(name)).unwrap(), Path::new(target));
        }
    }

    #[cfg(unix)]
    #[test]
    fn link_leads_to_its_target_from_wherever_both_are() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        make_folders(&at("run/deeper")).unwrap();
        for name in ["run/deeper/one", "run/two", "three"] {
            fs::write(at(name), name).unwrap();
        }
        for (target, shown) in [("run/deeper/one", "deeper/one"), ("run/two", "two"), ("run/../run/two", "two")] {
            link(&at("run/link"), &at(target)).unwrap();
            assert_eq!(fs::read_link(at("run/link")).unwrap(), Path::new(shown));
        }
        fs::rename(at("run"), at("moved")).unwrap();
        assert_eq!(fs::read_to_string(at("moved/link")).unwrap(), "run/two");
        link(&at("moved/link"), &at("three")).unwrap();
        assert_eq!(fs::read_to_string(at("moved/link")).unwrap(), "three");
    }

    #[test]
    fn folder_is_checked_without_making_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        let refused = |name: &str| {
            let (path, error) = check_folder(&at(name)).unwrap_err();
            (path, error.kind())
        };
        assert_eq!(refused("file"), (at("file"), io::ErrorKind::NotADirectory));
        assert_eq!(refused("file/below"), (at("file/below"), io::ErrorKind::NotADirectory));
        check_folder(&at("new/below")).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
