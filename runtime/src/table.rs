//! The style of the tables in terminals and files.

use comfy_table::{Table, presets};

/// Returns an empty table with a header.
pub(crate) fn with_header<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header(header);
    table
}
