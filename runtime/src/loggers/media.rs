//! Files for records that a logger has no other form for.

use super::{Figure, Histogram, LoggedAt, Record, Table};
use crate::atomic_file;
use crate::file_error::FileError;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folders of each kind.
pub(crate) const IMAGES: &str = "images";
pub(crate) const FIGURES: &str = "figures";
pub(crate) const TABLES: &str = "tables";
pub(crate) const TEXTS: &str = "texts";

/// Writes images, figures, tables and texts into a folder: `images/digit/step_100.png`.
pub(super) struct MediaFolder<'a> {
    folder: &'a Path,
}

impl<'a> MediaFolder<'a> {
    pub(super) fn of(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// Writes an image, figure, table or text into its file, and ignores other records.
    pub(super) fn write(&self, record: &Record<'_>, at: &LoggedAt) -> Result<(), FileError> {
        let Some(MediaFile { path, contents }) = media_file(record, at) else { return Ok(()) };
        let path = self.folder.join(path);
        let write = || {
            let contents = contents?;
            atomic_file::make_folders(atomic_file::folder_of(&path))?;
            atomic_file::write(&path, |file| file.write_all(&contents))
        };
        write().map_err(|source| FileError { what: "cannot write the logged", path: path.clone(), source })
    }
}

/// A record as a file.
pub(super) struct MediaFile {
    /// The path below the folder of the log.
    pub(super) path: PathBuf,
    pub(super) contents: io::Result<Vec<u8>>,
}

/// Returns the file of an image, figure, table or text; `None` for other records.
pub(super) fn media_file(record: &Record<'_>, at: &LoggedAt) -> Option<MediaFile> {
    let (kind, name, extension, contents) = match record {
        Record::Image { name, image } => (IMAGES, name, "png", image.to_png()),
        Record::Figure { name, figure: Figure::Svg(text) } => (FIGURES, name, "svg", Ok(text.clone().into_bytes())),
        Record::Figure { name, figure: Figure::Png(bytes) } => (FIGURES, name, "png", Ok(bytes.clone())),
        Record::Table { name, table } => (TABLES, name, "csv", table.to_csv()),
        Record::Text { name, text } => (TEXTS, name, "txt", Ok(text.as_bytes().to_vec())),
        _ => return None,
    };
    let path = Path::new(kind).join(path_of(name)).join(format!("step_{}.{extension}", at.step));
    Some(MediaFile { path, contents })
}

/// Returns the path of a name: its parts that `/` separates are folders, without characters that file systems refuse.
fn path_of(name: &str) -> PathBuf {
    let part = |part: &str| {
        let is_plain = |character: char| character.is_alphanumeric() || "-_.=+ ".contains(character);
        let plain: String = part.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
        if plain.trim_matches('.').is_empty() { plain.replace('.', "_") } else { plain }
    };
    let parts: PathBuf = name.split('/').filter(|part| !part.is_empty()).map(part).collect();
    if parts.as_os_str().is_empty() { PathBuf::from("_") } else { parts }
}

impl Table {
    fn to_csv(&self) -> io::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|value| match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            }))?;
        }
        writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Returns a histogram in JSON.
pub(super) fn histogram_json(name: &str, histogram: &Histogram) -> Value {
    json!({
        "name": name, "count": histogram.count, "non_finite": histogram.non_finite,
        "min": histogram.min, "max": histogram.max, "sum": histogram.sum, "sum_of_squares": histogram.sum_of_squares,
        "edges": histogram.edges, "counts": histogram.counts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_a_name_stays_in_its_folder() {
        assert_eq!(path_of("layer/weight.grad"), Path::new("layer/weight.grad"));
        assert_eq!(path_of("../../etc/passwd"), Path::new("__/__/etc/passwd"));
        assert_eq!(path_of("/a//b?c:d"), Path::new("a/b_c_d"));
        assert_eq!(path_of("/"), Path::new("_"));
    }
}
