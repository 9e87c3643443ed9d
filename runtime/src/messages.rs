//! Messages of a run, such as warnings and the reason why training ended, as [`tracing`](https://docs.rs/tracing) events.
//!
//! A generated program, `Model::main::<Data>()`, prints them to stderr. A program with its own `main` chooses:
//!
//! - [`init`] prints them as a generated program does.
//! - The program's own subscriber gets them as events, with the target `tch_lightning::…` and fields such as `epoch` and `step`. If
//!   it writes to a terminal, let it write to [`stderr`], so that lines do not overwrite the progress bar.
//! - Without a subscriber, the trainer prints them itself. It does not install a subscriber, so that the program can do so later.
//!
//! The environment variable `RUST_LOG` chooses what [`init`] and the trainer print, by level and target: `RUST_LOG=error`,
//! `RUST_LOG=warn,my_model=debug`. Without it, everything from [`INFO`](tracing::Level::INFO) on is printed.
//!
//! A hook reports by the macros of `tracing`, for which a program depends on that crate, or prints by
//! [`ctx.print`](crate::RunContext::print). Code without a context, such as that of a logger, prints by [`print`](fn@print).

use crate::terminal;
use console::style;
use std::env::{self, VarError};
use std::fmt;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Reports something: `event!(WARN, { epoch, step }, "…")`. Every event of this crate is made here.
macro_rules! event {
    ($level:ident, { $($fields:tt)* }, $($text:tt)+) => {
        if $crate::messages::are_silent() {
        } else if tracing::dispatcher::has_been_set() {
            tracing::event!(tracing::Level::$level, { $($fields)* }, $($text)+);
        } else {
            $crate::messages::report(tracing::Level::$level, module_path!(), format_args!($($text)+));
        }
    };
}

/// Warns: `warning!("…")`, or with fields for subscribers, `warning!({ epoch, step }, "…")`.
macro_rules! warning {
    ({ $($fields:tt)* }, $($text:tt)+) => { $crate::messages::event!(WARN, { $($fields)* }, $($text)+) };
    ($($text:tt)+) => { $crate::messages::event!(WARN, {}, $($text)+) };
}

/// Reports progress, as [`warning!`] does with what may be a mistake.
macro_rules! info {
    ({ $($fields:tt)* }, $($text:tt)+) => { $crate::messages::event!(INFO, { $($fields)* }, $($text)+) };
    ($($text:tt)+) => { $crate::messages::event!(INFO, {}, $($text)+) };
}

pub(crate) use {event, info, warning};

/// Whether another process reports what all do.
static ARE_SILENT: AtomicBool = AtomicBool::new(false);

/// Silences the messages of this process, of which another one reports the same.
pub(crate) fn silence() {
    ARE_SILENT.store(true, Ordering::Relaxed);
}

pub(crate) fn are_silent() -> bool {
    ARE_SILENT.load(Ordering::Relaxed)
}

/// Warns of what failed after the error that ends the run.
pub(crate) fn warn_after_error(error: &impl fmt::Display) {
    warning!("while the run ended by an error, {error}");
}

/// Prints the messages of runs, and the program's own events, to stderr, as a generated program does: one line each, `warning: …`
/// or plain text, coloured on a terminal, above the progress bar. Does nothing where a subscriber was installed before.
///
/// ```no_run
/// tch_lightning::messages::init();
/// // make a `Trainer`, and `fit`
/// ```
pub fn init() {
    let lines = layer().event_format(Lines).with_writer(|| terminal::Stderr).with_filter(filter().clone());
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines));
}

/// The standard error stream for a subscriber of the program's own, which writes lines above the progress bar.
///
/// ```no_run
/// tracing_subscriber::fmt().with_writer(tch_lightning::messages::stderr).init();
/// ```
pub fn stderr() -> impl Write + Send + 'static {
    terminal::Stderr
}

/// The filter in `RUST_LOG`.
fn filter() -> &'static Targets {
    static FILTER: OnceLock<Targets> = OnceLock::new();
    FILTER.get_or_init(|| {
        let default = Targets::new().with_default(Level::INFO);
        let asked = match env::var("RUST_LOG") {
            Ok(asked) if !asked.trim().is_empty() => asked,
            Ok(_) | Err(VarError::NotPresent) => return default,
            Err(VarError::NotUnicode(asked)) => asked.to_string_lossy().into_owned(),
        };
        asked.parse().unwrap_or_else(|error| {
            let warning = prefix(Level::WARN);
            terminal::say(format_args!("{warning}RUST_LOG `{asked}` is ignored, as it cannot be read: {error}"));
            default
        })
    })
}

/// Prints a line to stdout, above the progress bar, as [`ctx.print`](crate::RunContext::print) does where there is a context. `println!`
/// would tear the bar. A closed pipe and a full disk are ignored.
///
/// ```
/// # use tch_lightning::prelude::*;
/// use tch_lightning::loggers::{LoggedAt, Logger, Record};
/// use tch_lightning::messages;
///
/// struct Rows;
///
/// impl Logger for Rows {
///     fn log(&mut self, record: &Record<'_>, at: &LoggedAt) -> Result<()> {
///         if let Record::Scalars(row) = record {
///             messages::print(format!("step {}: {row:?}", at.step));
///         }
///         Ok(())
///     }
/// }
/// ```
pub fn print(text: impl fmt::Display) {
    let _ = terminal::print(text);
}

/// Prints a message where no subscriber was installed.
pub(crate) fn report(level: Level, target: &str, text: fmt::Arguments<'_>) {
    if filter().would_enable(target, &level) {
        terminal::say(format_args!("{}{text}", prefix(level)));
    }
}

/// The prefix of a line.
fn prefix(level: Level) -> String {
    let shown = |text| style(text).for_stderr().bold();
    match level {
        Level::ERROR => format!("{}: ", shown("error").red()),
        Level::WARN => format!("{}: ", shown("warning").yellow()),
        Level::INFO => String::new(),
        Level::DEBUG => format!("{}: ", shown("debug").blue()),
        Level::TRACE => format!("{}: ", shown("trace").cyan()),
    }
}

/// Formats each event as one line. Fields are only shown for events of other crates, as this crate's messages include their values.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        write!(line, "{}", prefix(*metadata.level()))?;
        if metadata.target().starts_with(concat!(env!("CARGO_CRATE_NAME"), "::")) {
            let mut message = Message(String::new());
            event.record(&mut message);
            line.write_str(&message.0)?;
        } else {
            ctx.field_format().format_fields(line.by_ref(), event)?;
        }
        writeln!(line)
    }
}

/// The text of an event.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
