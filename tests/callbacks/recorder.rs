//! A logger that keeps its rows.

use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tch_lightning::loggers::{LoggedAt, Logger, Record};

/// A row: its step, and its values by name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Row(pub usize, pub BTreeMap<String, f64>);

#[derive(Clone, Default)]
pub struct Recorder(Rc<RefCell<Vec<Row>>>);

impl Recorder {
    pub fn rows(&self) -> Vec<Row> {
        self.0.borrow().clone()
    }
}

impl Logger for Recorder {
    fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> anyhow::Result<()> {
        let Record::Scalars(metrics) = record else { return Ok(()) };
        let step = at.step;
        self.0.borrow_mut().push(Row(step, metrics.iter().cloned().collect()));
        Ok(())
    }
}

/// Fails unless the rows are the same, their values to single precision.
#[track_caller]
pub fn assert_same(rows: &[Row], expected: &[Row]) {
    let names = |rows: &[Row]| -> Vec<(usize, Vec<String>)> {
        rows.iter().map(|Row(step, values)| (*step, values.keys().cloned().collect())).collect()
    };
    assert_eq!(names(rows), names(expected));
    for (row, expected) in rows.iter().zip(expected) {
        for (value, expected) in row.1.values().zip(expected.1.values()) {
            assert!((value - expected).abs() <= 1e-5 * expected.abs().max(0.1), "{row:?}: {value}, not {expected}");
        }
    }
}
