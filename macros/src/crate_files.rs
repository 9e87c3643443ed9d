//! The files of the crate that is being compiled, which are only read where one file gives a reason to suspect a mistake: what makes a program
//! right may be in another file.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Returns whether a file of the crate contains one of these texts, or whether that is not known.
pub(crate) fn contain(texts: &[&str]) -> bool {
    have_text(|file| texts.iter().any(|text| file.contains(text)))
}

/// Returns whether the crate has such a file, or whether that is not known.
pub(crate) fn have_text(is_meant: impl Fn(&str) -> bool) -> bool {
    let Some(folder) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else { return true };
    let mut files = Vec::new();
    !collect(&folder, &mut files)
        || files.iter().any(|file| fs::read_to_string(file).map_or(true, |text| is_meant(&text)))
}

/// Returns whether the crate has a dependency of this name, or whether that is not known.
pub(crate) fn depends_on(name: &str) -> bool {
    let Some(folder) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else { return true };
    let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { return true };
    let is_of_dependency = |line: &str| line.split(['=', '.', ']']).any(|word| word.trim() == name);
    manifest.lines().any(is_of_dependency)
}

/// Adds the files of Rust in a folder. Returns whether these are all.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> bool {
    /// Reading more takes longer than a message is worth.
    const MOST: usize = 1000;
    let Ok(entries) = fs::read_dir(folder) else { return false };
    for entry in entries {
        let Ok(entry) = entry else { return false };
        let (path, name) = (entry.path(), entry.file_name());
        let is_of_others = name == "target" || name.to_string_lossy().starts_with('.');
        if path.is_dir() && !is_of_others && !collect(&path, files) {
            return false;
        }
        if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
        if files.len() > MOST {
            return false;
        }
    }
    true
}
