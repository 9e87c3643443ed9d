//! Progress messages on stderr; stdout is reserved for results. Lines are written above the progress bars.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many times a second a bar is drawn at most.
const BAR_HZ: u8 = 10;

/// The bars on stderr, of all trainers of the process; not made where none has a bar.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Whether the dashboard has the terminal, so that no bar is drawn.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Returns whether the dashboard has the terminal.
pub(crate) fn is_taken() -> bool {
    IS_TAKEN.load(Ordering::Relaxed)
}

/// Sets whether the dashboard has the terminal.
#[cfg(feature = "dashboard")]
pub(crate) fn set_taken(is_taken: bool) {
    IS_TAKEN.store(is_taken, Ordering::Relaxed);
}

/// Restores the terminal before the process aborts.
pub(crate) fn restore() {
    #[cfg(feature = "dashboard")]
    crate::native::restore_screen_at_end();
}

/// Draws a bar, hidden so far, below all lines that are written through this module.
pub(crate) fn add_bar(bar: ProgressBar) -> ProgressBar {
    let bars = BARS.get_or_init(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(BAR_HZ)));
    let bar = bars.add(bar);
    bar.tick();
    bar
}

/// Clears a bar, and forgets it.
pub(crate) fn remove_bar(bar: &ProgressBar) {
    bar.finish_and_clear();
    if let Some(bars) = BARS.get() {
        bars.remove(bar);
    }
}

/// Clears the bars, writes, and draws them again below.
fn above_bars<T>(write: impl FnOnce() -> T) -> T {
    match BARS.get() {
        Some(bars) => bars.suspend(write),
        None => write(),
    }
}

/// What failed if a result could not be printed.
pub(crate) const NOT_PRINTED: &str = "cannot write to stdout";

/// Returns the number of columns of the terminal that stderr is; `None` if it is not a terminal.
pub(crate) fn width() -> Option<u16> {
    console::Term::stderr().size_checked().map(|(_, columns)| columns)
}

/// Prints a result to stdout. A reader that has enough, such as `head`, closes the pipe, which is not an error.
pub(crate) fn print(text: impl Display) -> io::Result<()> {
    print_with(|| writeln!(io::stdout(), "{text}"))
}

/// Prints to stdout by a function, as [`print`] does.
pub(crate) fn print_with(write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match above_bars(|| write().and_then(|()| io::stdout().flush())) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Writes lines to stderr. A terminal that is gone is not a reason to stop training.
pub(crate) fn say(text: impl Display) {
    let text = format!("{text}\n");
    let _ = Stderr.write_all(text.as_bytes());
}

/// Writes lines to stderr from a hook of panics, which must not wait for a lock that the panicking thread may hold.
pub(crate) fn say_in_panic(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Stderr, for complete lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        above_bars(|| io::stderr().write(lines))
    }

    fn write_all(&mut self, lines: &[u8]) -> io::Result<()> {
        above_bars(|| io::stderr().write_all(lines))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
