//! Compares and resolves paths by the files they refer to, not by their spelling.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Returns whether two paths refer to the same file or folder, possibly through links.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    same_file::is_same_file(one, other).unwrap_or_else(|_| resolved(one) == resolved(other))
}

/// Returns the canonical path of a directory entry: the folder is resolved, but a link at the end is not. The file need not exist.
pub(crate) fn entry(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => resolved(folder).join(name),
        _ => resolved(path),
    }
}

/// Returns the canonical path of a file or folder. Parts that do not exist are kept.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(path) {
        return found;
    }
    let mut components = path.components();
    match components.next_back() {
        Some(Component::Normal(name)) => resolved(components.as_path()).join(name),
        Some(Component::ParentDir) => {
            let mut folder = resolved(components.as_path());
            folder.pop();
            folder
        }
        Some(Component::CurDir) => resolved(components.as_path()),
        Some(Component::RootDir | Component::Prefix(_)) => path.to_owned(),
        None => std::env::current_dir().unwrap_or_default(),
    }
}

/// Replaces a leading `~` by the user's home directory, if there is one.
pub(crate) fn expanded(path: &Path) -> PathBuf {
    let below_home = path.strip_prefix("~").ok();
    let expanded = below_home.and_then(|below| Some(std::env::home_dir()?.join(below)));
    expanded.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_their_target() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(&folder).unwrap();
        fs::create_dir(root.join("there")).unwrap();
        fs::write(root.join("there/file"), "").unwrap();
        for spelled in ["there/file", "there/./file", "there/../there/file", "new/../there/file"] {
            assert_eq!(resolved(&root.join(spelled)), root.join("there/file"), "{spelled}");
            assert_eq!(entry(&root.join(spelled)), root.join("there/file"), "{spelled}");
        }
        assert!(is_same(&root.join("there/../there/file"), &root.join("there/file")));
        assert!(!is_same(&root.join("there/other"), &root.join("there/file")));
        assert_eq!(resolved(&root.join("there/new/./deeper/../file")), root.join("there/new/file"));
        assert_eq!(entry(Path::new("file")), std::env::current_dir().unwrap().join("file"));
    }

    #[cfg(unix)]
    #[test]
    fn entry_does_not_follow_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(&folder).unwrap();
        fs::create_dir(root.join("there")).unwrap();
        fs::write(root.join("there/file"), "").unwrap();
        for (name, target) in [("alias", "there"), ("there/link", "file"), ("nowhere", "gone")] {
            std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        }
        assert_eq!(resolved(&root.join("alias/link")), root.join("there/file"));
        assert_eq!(entry(&root.join("alias/link")), root.join("there/link"));
        assert!(is_same(&root.join("alias/link"), &root.join("there/file")));
        assert_eq!(entry(&root.join("nowhere")), root.join("nowhere"));
        fs::hard_link(root.join("there/file"), root.join("hard")).unwrap();
        assert!(is_same(&root.join("hard"), &root.join("there/file")));
    }
}
