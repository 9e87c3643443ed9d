//! Lines for whoever watches a run, on the standard error stream: the other one is for results.

use std::io::Write;

/// Writes a line, or several. A terminal that is gone is no reason to stop training.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
