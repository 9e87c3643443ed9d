//! How tables look on a terminal and in a file.

use comfy_table::{Table, presets};

pub(crate) fn with_header<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header(header);
    table
}
