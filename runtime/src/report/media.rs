//! The images, figures, tables and texts of a run.

use crate::regular_file;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};

/// The number of steps of which a page shows an image.
const SHOWN: usize = 6;

/// A file with the step at which it was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaFile {
    pub(super) step: u64,
    pub(super) path: PathBuf,
}

/// The files that were logged under one name.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) name: String,
    /// The files, by step.
    pub(super) files: Vec<MediaFile>,
}

impl Logged {
    /// Returns a few files: the first, the last, and those at even distances between them.
    pub(super) fn shown(&self) -> Vec<&MediaFile> {
        let last = self.files.len() - 1;
        let number = SHOWN.min(self.files.len());
        let index = |shown: usize| if number == 1 { last } else { shown * last / (number - 1) };
        (0..number).map(|shown| &self.files[index(shown)]).collect()
    }

    pub(super) fn last(&self) -> Option<&MediaFile> {
        self.files.last()
    }
}

/// Returns the files of a kind, such as `images`, by name.
pub(super) fn logged(run: &Path, kind: &str) -> Vec<Logged> {
    let mut all = Vec::new();
    collect(&run.join(kind), "", &mut all);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn collect(folder: &Path, name: &str, all: &mut Vec<Logged>) {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, file) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        // links are not followed, as one may lead to a folder above
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let name = if name.is_empty() { file } else { format!("{name}/{file}") };
            collect(&path, &name, all);
        } else if let Some(step) = step(&path) {
            files.push(MediaFile { step, path });
        }
    }
    files.sort_by_key(|file| file.step);
    if !files.is_empty() {
        all.push(Logged { name: name.to_owned(), files });
    }
}

/// Returns the step in the name of a file: `step_100.png`.
fn step(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.strip_prefix("step_")?.parse().ok()
}

/// The bytes of images that a page may still contain.
pub(super) struct Budget(pub(super) usize);

impl Budget {
    /// Returns an image as an address that contains it; `None` for one that cannot be read, or that the page does not have room for.
    pub(super) fn embedded(&mut self, path: &Path) -> Option<String> {
        let kind = match path.extension()?.to_str()? {
            "png" => "png",
            "svg" => "svg+xml",
            _ => return None,
        };
        let size = usize::try_from(path.metadata().ok()?.len()).ok()?;
        self.0 = self.0.checked_sub(size)?;
        let bytes = regular_file::read(path).ok()?;
        Some(format!("data:image/{kind};base64,{}", STANDARD.encode(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_files_include_the_first_and_the_last() {
        let files = (0..23).map(|step| MediaFile { step, path: PathBuf::new() }).collect();
        let logged = Logged { name: String::new(), files };
        let steps: Vec<u64> = logged.shown().iter().map(|file| file.step).collect();
        assert_eq!(steps, [0, 4, 8, 13, 17, 22]);
        let logged = Logged { files: vec![MediaFile { step: 7, path: PathBuf::new() }], ..logged };
        assert_eq!(logged.shown().len(), 1);
    }
}
