//! The table of an optimizer's groups.

use std::fmt;

use comfy_table::CellAlignment;

use super::{Optimizer, ParameterGroup};
use crate::counted::grouped;
use crate::table;

/// The columns of numbers.
const NUMBERS: [usize; 5] = [0, 3, 4, 5, 6];

impl fmt::Display for Optimizer {
    /// A table with a row for each group: its number, what chose its parameters, its algorithm, learning rate and weight decay, and the
    /// numbers of its parameters and of their elements. The groups are numbered from 1, as by
    /// [`LearningRateMonitor`](crate::callbacks::LearningRateMonitor).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["Group", "Selection", "Algorithm", "lr", "weight_decay", "Parameters", "Elements"];
        let mut table = table::with_header(columns);
        for (index, group) in self.groups().iter().enumerate() {
            table.add_row(row(index + 1, group));
        }
        for index in NUMBERS {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        write!(f, "{table}")
    }
}

fn row(number: usize, group: &ParameterGroup) -> [String; 7] {
    let elements = group.parameters().iter().map(|(_, tensor)| tensor.numel() as u64).sum();
    [
        number.to_string(),
        group.selection().to_owned(),
        group.algorithm().name().to_owned(),
        shown(group.lr()),
        group.algorithm().weight_decay().map(shown).unwrap_or_default(),
        group.parameters().len().to_string(),
        grouped(elements),
    ]
}

/// Returns a number with its first four digits.
fn shown(number: f64) -> String {
    let rounded: f64 = format!("{number:.3e}").parse().unwrap_or(number);
    format!("{rounded:?}")
}
