//! From records to the values of W&B.

use super::proto::Item;
use crate::loggers::media::{MediaFile, media_file};
use crate::loggers::{Figure, Histogram, LoggedAt, Record, Table};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The most bins of a histogram that W&B shows.
const MOST_BINS: usize = 512;

/// Returns a value under a name.
pub(super) fn item(name: &str, value: &Value) -> Item {
    Item { nested_key: vec![name.to_owned()], value_json: value.to_string() }
}

/// Returns a distribution. Neighbouring bins are joined if there are too many.
pub(super) fn histogram(histogram: &Histogram) -> Value {
    let joined = histogram.counts.len().div_ceil(MOST_BINS).max(1);
    let counts: Vec<u64> = histogram.counts.chunks(joined).map(|counts| counts.iter().sum()).collect();
    let mut edges: Vec<f64> = histogram.edges.iter().copied().step_by(joined).take(counts.len()).collect();
    edges.extend(histogram.edges.last());
    json!({ "_type": "histogram", "values": counts, "bins": edges })
}

/// A value with a file, which is below the run's folder `files`.
pub(super) struct Media {
    pub(super) path: PathBuf,
    pub(super) contents: Vec<u8>,
    pub(super) value: Value,
}

/// Returns an image, figure, table or text; `None` for other records.
pub(super) fn media(record: &Record<'_>, at: &LoggedAt) -> io::Result<Option<Media>> {
    let Some(MediaFile { path, contents }) = media_file(record, at) else { return Ok(None) };
    let path = Path::new("media").join(path);
    let (path, contents, value) = match record {
        Record::Table { table, .. } => table_file(&path, table),
        Record::Text { text, .. } => table_file(&path, &Table::new(["text"]).row([*text])),
        Record::Image { image, .. } => {
            let value = json!({ "_type": "image-file", "format": "png", "width": image.width, "height": image.height });
            (path, contents?, value)
        }
        Record::Figure { figure: Figure::Svg(_), .. } => {
            (path.with_extension("html"), contents?, json!({ "_type": "html-file" }))
        }
        _ => (path, contents?, json!({ "_type": "image-file", "format": "png" })),
    };
    Ok(Some(Media { value: with_file(value, &path, &contents), path, contents }))
}

fn table_file(path: &Path, table: &Table) -> (PathBuf, Vec<u8>, Value) {
    let contents = json!({ "columns": table.columns, "data": table.rows }).to_string().into_bytes();
    let value = json!({ "_type": "table-file", "ncols": table.columns.len(), "nrows": table.rows.len() });
    (path.with_extension("table.json"), contents, value)
}

/// Adds the path, length and checksum of a file.
fn with_file(mut value: Value, path: &Path, contents: &[u8]) -> Value {
    let mut sha256 = String::new();
    for byte in Sha256::digest(contents) {
        // a `String` takes every text
        let _ = write!(sha256, "{byte:02x}");
    }
    value["path"] = path.display().to_string().into();
    value["size"] = contents.len().into();
    value["sha256"] = sha256.into();
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_of_many_bins_is_joined() {
        let many = |bins: u32| Histogram {
            count: 0,
            non_finite: 0,
            min: 0.0,
            max: 0.0,
            sum: 0.0,
            sum_of_squares: 0.0,
            edges: (0..=bins).map(f64::from).collect(),
            counts: vec![1; bins as usize],
        };
        let few = histogram(&many(2));
        assert_eq!(few, json!({ "_type": "histogram", "values": [1, 1], "bins": [0.0, 1.0, 2.0] }));
        let joined = histogram(&many(1025));
        let (values, bins) = (joined["values"].as_array().unwrap(), joined["bins"].as_array().unwrap());
        assert_eq!((values.len(), bins.len()), (342, 343));
        assert_eq!((&values[0], &values[341]), (&json!(3), &json!(2)));
        assert_eq!((&bins[1], &bins[342]), (&json!(3.0), &json!(1025.0)));
    }
}
