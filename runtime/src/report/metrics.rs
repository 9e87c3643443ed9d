//! The logged values of a run, from `metrics.csv` or `metrics.jsonl`.

use super::rows::{CsvRows, Row, parse_json_line, whole_lines};
use crate::regular_file;
use indexmap::IndexMap;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The values of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The step and the value of each row that has one, in the order of the rows. Values may be NaN or infinite.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// Returns the finite values.
    pub(super) fn finite(&self) -> impl DoubleEndedIterator<Item = (f64, f64)> {
        self.points.iter().copied().filter(|(_, value)| value.is_finite())
    }

    /// Returns the last value.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|(_, value)| *value)
    }

    /// Returns the smallest finite value.
    pub fn min(&self) -> Option<f64> {
        self.finite().map(|(_, value)| value).min_by(f64::total_cmp)
    }

    /// Returns the largest finite value.
    pub fn max(&self) -> Option<f64> {
        self.finite().map(|(_, value)| value).max_by(f64::total_cmp)
    }
}

/// The rows of a run.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The metrics by name, in the order of their columns, without `step`, `epoch` and `time`.
    pub(super) metrics: IndexMap<String, Series>,
    pub(super) last_step: Option<f64>,
    pub(super) last_epoch: Option<f64>,
    /// The step of each row with the time at which it was written, in seconds.
    pub(super) times: Vec<(f64, f64)>,
    /// The number of values and lines that could not be read.
    pub(super) invalid: usize,
}

impl Rows {
    fn note(&mut self, step: f64, epoch: Option<f64>) {
        if !step.is_finite() {
            return;
        }
        self.last_step = self.last_step.map_or(Some(step), |last| Some(last.max(step)));
        if let Some(epoch) = epoch.filter(|epoch| epoch.is_finite()) {
            self.last_epoch = self.last_epoch.map_or(Some(epoch), |last| Some(last.max(epoch)));
        }
    }

    fn add(&mut self, name: &str, step: f64, value: f64) {
        match self.metrics.get_mut(name) {
            Some(series) => series.points.push((step, value)),
            None => {
                self.metrics.insert(name.to_owned(), Series { points: vec![(step, value)] });
            }
        }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: &Row<'_>) {
        self.invalid += row.invalid;
        self.times.extend(row.time.map(|time| (row.step, time)));
        self.note(row.step, row.epoch);
        row.values.iter().for_each(|(name, value)| self.add(name, row.step, *value));
    }

    /// Reads `metrics.csv`. A last line without an end is that of a row which is being written, and is skipped.
    pub(super) fn of_csv(path: &Path) -> io::Result<Self> {
        let mut rows = Self::default();
        let mut reader = CsvRows::default();
        let bytes = regular_file::read(path)?;
        // the metrics are in the order of their columns, which is not that of their first values
        reader.parse(whole_lines(&bytes), |row| rows.push(&row))?;
        let position = |name: &String| reader.columns().iter().position(|column| column == name);
        rows.metrics.sort_by(|one, _, other, _| position(one).cmp(&position(other)));
        Ok(rows)
    }

    /// Reads `metrics.jsonl`.
    pub(super) fn of_json_lines(path: &Path) -> io::Result<Self> {
        let mut rows = Self::default();
        for_each_line(path, |line| parse_json_line(line, |row| rows.push(&row)))?;
        Ok(rows)
    }
}

/// Calls a function with each complete line of a file.
pub(super) fn for_each_line(path: &Path, mut call: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = BufReader::new(regular_file::open(path)?);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        if let Some(whole) = line.strip_suffix(b"\n") {
            call(whole);
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn rows_of_csv_skip_a_torn_line() {
        let rows = Rows::of_csv(file(b"step,epoch,a,b\n0,0,1.5,\n9,1,NaN,2\n19,1,0.2").path()).unwrap();
        assert_eq!(rows.metrics["b"].points, [(9.0, 2.0)]);
        assert_eq!((rows.metrics["a"].points[0], rows.metrics["a"].points.len()), ((0.0, 1.5), 2));
        assert_eq!((rows.metrics["a"].last().unwrap().is_nan(), rows.metrics["a"].min()), (true, Some(1.5)));
        assert_eq!((rows.last_step, rows.last_epoch, rows.invalid), (Some(9.0), Some(1.0), 0));
    }

    #[test]
    fn rows_of_csv_count_what_is_not_a_number() {
        let rows = Rows::of_csv(file(b"step,a,\xff\n0,x,1\n1\n2,3,4,5\n").path()).unwrap();
        assert_eq!((rows.metrics["a"].points.as_slice(), rows.invalid), (&[(2.0, 3.0)][..], 1));
        assert_eq!(Rows::of_csv(file(b"").path()).unwrap().metrics.len(), 0);
    }

    #[test]
    fn rows_of_json_lines_have_times() {
        let text = b"{\"time\": 5.0, \"step\": 3, \"epoch\": 0, \"values\": {\"a\": \"NaN\", \"b\": 1}}\nx\n\
            {\"time\": 6.0, \"step\": 3, \"epoch\": 0, \"checkpoint\": \"c\"}\n{\"time\":";
        let rows = Rows::of_json_lines(file(text).path()).unwrap();
        assert_eq!(
            (rows.metrics["b"].points.as_slice(), rows.times.as_slice()),
            (&[(3.0, 1.0)][..], &[(3.0, 5.0)][..])
        );
        assert!(rows.metrics["a"].last().unwrap().is_nan());
        assert_eq!(rows.invalid, 1);
    }
}
