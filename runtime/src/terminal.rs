//! The two output streams: stdout for results, stderr for messages about progress.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints a result to stdout. A reader that has enough, such as `head`, closes the pipe, which is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Warns of what failed after the error that ends the run.
pub(crate) fn warn_after_error(error: &impl Display) {
    say(&format!("warning: while the run ended by an error, {error}"));
}

/// Writes a line, or several. A terminal that is gone is no reason to stop training.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
