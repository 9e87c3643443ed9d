//! The git revision of a folder, read from the repository's files.

use crate::regular_file::read_to_string;
use std::path::{Path, PathBuf};

/// Returns the commit that is checked out in a folder or in the closest parent that is a repository; `None` outside of one.
pub(crate) fn git_revision(folder: &Path) -> Option<String> {
    let dot_git = folder.ancestors().map(|folder| folder.join(".git")).find(|path| path.exists())?;
    let git = repository(&dot_git)?;
    let head = read_to_string(&git.join("HEAD")).ok()?;
    let Some(name) = head.trim().strip_prefix("ref: ") else { return Some(head.trim().to_owned()) };
    // a work tree shares its branches with the repository that it belongs to
    let shared = read_to_string(&git.join("commondir")).map_or_else(|_| git.clone(), |path| git.join(path.trim()));
    let loose = [&git, &shared].into_iter().find_map(|folder| read_to_string(&folder.join(name)).ok());
    loose.map(|revision| revision.trim().to_owned()).or_else(|| packed(&shared, name))
}

/// Returns the folder of the repository: `.git`, or the one that it names in a work tree or a submodule.
fn repository(dot_git: &Path) -> Option<PathBuf> {
    if dot_git.is_dir() {
        return Some(dot_git.to_owned());
    }
    let text = read_to_string(dot_git).ok()?;
    Some(dot_git.parent()?.join(text.trim().strip_prefix("gitdir: ")?))
}

fn packed(git: &Path, name: &str) -> Option<String> {
    let text = read_to_string(&git.join("packed-refs")).ok()?;
    let mut references = text.lines().filter_map(|line| line.split_once(' '));
    references.find(|(_, reference)| *reference == name).map(|(revision, _)| revision.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const REVISION: &str = "1c6a0f6a1f1d7c6d6a0e4b6a0d2a9d1f0c3b5a79";

    fn file(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn git_revision_is_the_commit_of_the_branch() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        file(&folder.join(".git/HEAD"), "ref: refs/heads/main\n");
        assert_eq!(git_revision(folder), None);
        file(&folder.join(".git/packed-refs"), &format!("# pack-refs with: peeled\n{REVISION} refs/heads/main\n"));
        fs::create_dir_all(folder.join("src/bin")).unwrap();
        assert_eq!(git_revision(&folder.join("src/bin")).as_deref(), Some(REVISION));
        file(&folder.join(".git/refs/heads/main"), "2222\n");
        assert_eq!(git_revision(folder).as_deref(), Some("2222"));
        file(&folder.join(".git/HEAD"), "3333\n");
        assert_eq!(git_revision(folder).as_deref(), Some("3333"));
    }

    #[test]
    fn git_revision_of_a_work_tree_is_that_of_its_branch() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        file(&folder.join("tree/.git"), "gitdir: ../main/.git/worktrees/tree\n");
        file(&folder.join("main/.git/worktrees/tree/HEAD"), "ref: refs/heads/topic\n");
        file(&folder.join("main/.git/worktrees/tree/commondir"), "../..\n");
        file(&folder.join("main/.git/refs/heads/topic"), "4444\n");
        assert_eq!(git_revision(&folder.join("tree")).as_deref(), Some("4444"));
    }
}
