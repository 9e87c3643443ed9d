//! The rows in `metrics.csv` and `metrics.jsonl`, parsed as they come.

use crate::json_float::JsonFloat;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;

/// A row.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) step: f64,
    pub(super) epoch: Option<f64>,
    /// When it was written, in seconds.
    pub(super) time: Option<f64>,
    pub(super) values: Vec<(&'a str, f64)>,
    /// The number of values that could not be read.
    pub(super) invalid: usize,
}

/// Returns the complete lines of a file. A last line without an end is being written.
pub(super) fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    &bytes[..end]
}

/// Parses the rows of a CSV file in parts, of which the first has the names of the columns.
#[derive(Debug, Default)]
pub(super) struct CsvRows {
    columns: Vec<String>,
    has_columns: bool,
    /// The number of rows so far.
    count: usize,
}

impl CsvRows {
    /// The names of the columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Calls a function with each row of some lines.
    pub(super) fn parse(&mut self, lines: &[u8], mut each: impl FnMut(Row<'_>)) -> io::Result<()> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(!self.has_columns).from_reader(lines);
        if !self.has_columns && !lines.is_empty() {
            let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
            self.columns = reader.byte_headers()?.iter().map(name).collect();
            self.has_columns = true;
        }
        let column = |wanted: &str| self.columns.iter().position(|column| column == wanted);
        let (step, epoch, time) = (column("step"), column("epoch"), column("time"));
        for record in reader.byte_records() {
            let record = record?;
            let mut invalid = 0;
            let mut number = |column: usize| {
                let text = record.get(column).filter(|text| !text.is_empty())?;
                let number = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<f64>().ok());
                invalid += usize::from(number.is_none());
                number
            };
            let at = step.and_then(&mut number).filter(|step| step.is_finite()).unwrap_or(self.count as f64);
            let (epoch_of_row, time_of_row) = (epoch.and_then(&mut number), time.and_then(&mut number));
            let metrics =
                self.columns.iter().enumerate().filter(|(column, _)| ![step, epoch, time].contains(&Some(*column)));
            let values = metrics.filter_map(|(column, name)| Some((name.as_str(), number(column)?))).collect();
            each(Row { step: at, epoch: epoch_of_row, time: time_of_row, values, invalid });
            self.count += 1;
        }
        Ok(())
    }
}

/// Calls a function with the row of a line of a JSON Lines file, if it is one. A line that cannot be read is a row with one invalid value.
pub(super) fn parse_json_line(line: &[u8], each: impl FnOnce(Row<'_>)) {
    #[derive(Deserialize)]
    struct Line {
        time: Option<f64>,
        step: f64,
        epoch: Option<f64>,
        values: Option<BTreeMap<String, JsonFloat>>,
    }
    match serde_json::from_slice::<Line>(line) {
        Ok(Line { time, step, epoch, values: Some(values) }) => {
            let values = values.iter().map(|(name, JsonFloat(value))| (name.as_str(), *value)).collect();
            each(Row { step, epoch, time, values, invalid: 0 });
        }
        // another record
        Ok(_) => {}
        Err(_) => each(Row { step: f64::NAN, epoch: None, time: None, values: Vec::new(), invalid: 1 }),
    }
}
