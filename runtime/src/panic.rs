//! Converts panics in users' code, and in libtorch called from it, to errors. In a program that is built with `panic = "abort"`, a
//! panic ends the process; the message is the same.

use crate::native::without_backtrace;
use crate::run_location::HookLocation;
use crate::{messages, terminal, users_line};
use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread is inside [`catch`].
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is inside [`silently`].
    static SILENT: Cell<bool> = const { Cell::new(false) };
    /// The hook that this thread is running. It is only set if panics abort.
    static LOCATION: Cell<Option<HookLocation>> = const { Cell::new(None) };
    /// The source line of the last panic inside [`catch`].
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// For tests: every panic aborts, as in a program that is built with `panic = "abort"`.
static AS_IF_ABORTING: AtomicBool = AtomicBool::new(false);

/// Returns whether a panic ends the program. The profile's setting applies to all crates of a program.
pub(crate) fn aborts() -> bool {
    cfg!(panic = "abort") || AS_IF_ABORTING.load(Ordering::Relaxed)
}

/// For tests: makes every panic abort, as in a program that is built with `panic = "abort"`.
pub(crate) fn abort_from_now_on() {
    AS_IF_ABORTING.store(true, Ordering::Relaxed);
}

/// Warns, once, that panics abort.
pub(crate) fn warn_of_aborts() {
    static ONCE: Once = Once::new();
    if aborts() {
        ONCE.call_once(|| {
            messages::warning!(
                "the program is built with `panic = \"abort\"`: a panic in a hook, such as libtorch's for tensors \
                 of the wrong shape, will end it immediately, without `on_exception` and without a checkpoint",
            );
        });
    }
}

/// Runs `call`. If it panics, returns an error with the panic's message and source line, and prints nothing.
///
/// Values that the panic left in an inconsistent state are not used again: the error ends the run, unless users handle it.
pub(crate) fn catch<T>(call: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    catch_in_hook(None, call)
}

/// Runs an attempt whose failure is not reported: panics that are caught in it print no frames.
pub(crate) fn silently<T>(attempt: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let outer = SILENT.replace(true);
    let outcome = catch(attempt);
    SILENT.set(outer);
    outcome
}

/// Like [`catch`], for a hook. Its location is only used if panics abort.
// A program has an instance of this for each hook: everything that does not depend on `call` is in functions of its own.
pub(crate) fn catch_in_hook<T>(
    location: Option<HookLocation>,
    call: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let outer = Outer::enter(location);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    outer.restore();
    match outcome {
        Ok(outcome) => outcome,
        Err(panic) => Err(error_of(panic.as_ref())),
    }
}

/// The state of the thread outside of a [`catch`].
struct Outer {
    was_inside: bool,
    /// The location that the inner hook's replaced, if the inner one has a location.
    location: Option<Option<HookLocation>>,
}

impl Outer {
    // it is called for each hook of each batch, so it leaves alone what only aborting panics need
    fn enter(inner: Option<HookLocation>) -> Self {
        silence_caught_panics();
        let location = inner.map(|inner| LOCATION.replace(Some(inner)));
        Self { was_inside: INSIDE.replace(true), location }
    }

    fn restore(self) {
        INSIDE.set(self.was_inside);
        if let Some(location) = self.location {
            LOCATION.set(location);
        }
    }
}

fn error_of(panic: &dyn Any) -> anyhow::Error {
    let text = readable(text(panic));
    anyhow::Error::msg(message(&text, PANICKED_AT.take().as_deref()))
}

/// Installs a panic hook that does not print the panics that become errors. Other panics are passed to the previous hook.
fn silence_caught_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !INSIDE.get() {
                before(panic);
            } else if aborts() {
                terminal::restore();
                // a progress bar may have left its line open
                terminal::say_in_panic(format_args!("\nerror: {}", abort_message(panic, LOCATION.get())));
                std::process::abort();
            } else {
                PANICKED_AT.set(source_line(panic));
            }
        }));
    });
}

/// Returns the user's line that a panic came from, or else the panic's own. Prints the frames of the user's code if
/// `RUST_BACKTRACE` is set, and all frames if it is `full`.
fn source_line(panic: &PanicHookInfo<'_>) -> Option<String> {
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured && !SILENT.get() {
        let asks_for_all = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full");
        match users_line::frames(&backtrace.to_string()) {
            Some(frames) if !asks_for_all => terminal::say_in_panic(format_args!(
                "\nthe frames of your own code, the innermost first (`RUST_BACKTRACE=full` prints all frames):\n{frames}"
            )),
            _ => terminal::say_in_panic(format_args!("\n{backtrace}")),
        }
    }
    let own = panic.location();
    let users = || users_line::of(&Backtrace::force_capture());
    let users = own.is_none_or(|location| users_line::is_foreign(location.file())).then(users).flatten();
    users.or_else(|| own.map(ToString::to_string))
}

/// Returns the message of a panic that aborts.
fn abort_message(panic: &PanicHookInfo<'_>, location: Option<HookLocation>) -> String {
    let text = readable(text(panic.payload()));
    let message = message(&text, source_line(panic).as_deref());
    let at = location.map_or_else(|| "the run panicked".to_owned(), |location| location.to_string());
    format!(
        "{at}: {message}. The program is built with `panic = \"abort\"`, so it ends here, without `on_exception` and \
         without a checkpoint: remove that line from the profile in Cargo.toml, or call the methods of tensors that \
         start with `f_` and return errors"
    )
}

fn text(panic: &dyn Any) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message")
}

fn message(text: &str, line: Option<&str>) -> String {
    match line {
        Some(line) => format!("{text} (panicked at {line})"),
        None => text.to_owned(),
    }
}

/// Extracts the message of a libtorch exception from the text of a panic, where tch's `unwrap` puts it, escaped.
fn readable(text: &str) -> String {
    let torch = text.split_once("Torch(\"").map_or(text, |(_, message)| message);
    crate::native::readable(&without_backtrace(torch).replace("\\n", " ").replace("\\\"", "\"")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_of(call: impl FnOnce()) -> String {
        let outcome = catch(|| {
            call();
            Ok(())
        });
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn panics_become_errors_with_their_message_and_line() {
        let number = 3;
        let formatted = message_of(|| panic!("no file {number}"));
        assert!(formatted.starts_with(concat!("no file 3 (panicked at ", file!(), ":")), "{formatted}");
        assert!(message_of(|| panic!("no file")).starts_with("no file (panicked at "));
        // `panic_any` reports no location
        assert!(message_of(|| std::panic::panic_any(3)).starts_with("a panic without a message"));
        assert_eq!(catch(|| Ok(3)).unwrap(), 3);
    }

    #[test]
    fn libtorchs_panics_lose_their_backtrace() {
        let message = message_of(|| {
            let _ = tch::Tensor::from_slice(&[1.0, 2.0]) + tch::Tensor::from_slice(&[1.0, 2.0, 3.0]);
        });
        assert!(message.starts_with("The size of tensor a (2) must match the size of tensor b (3)"), "{message}");
        assert!(!message.contains("Exception raised") && !message.contains('\n'), "{message}");
    }
}
