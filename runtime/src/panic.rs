//! A panic in users' code, or in libtorch called from it, becomes an error, unless the program is built with
//! `panic = "abort"`: then the program ends with the sentence that the error would have had.

use crate::hook_location::HookLocation;
use crate::native::without_backtrace;
use crate::{messages, terminal, users_line};
use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread is inside of [`catch`].
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The hook that this thread is in, where panics abort.
    static LOCATION: Cell<Option<HookLocation>> = const { Cell::new(None) };
    /// Where the last panic there happened.
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// For tests: every panic aborts, as in a program that is built so.
static AS_IF_ABORTING: AtomicBool = AtomicBool::new(false);

/// Whether a panic ends the program. The setting of the profile holds for all crates of a program.
pub(crate) fn aborts() -> bool {
    cfg!(panic = "abort") || AS_IF_ABORTING.load(Ordering::Relaxed)
}

/// For tests: what a program does that is built with `panic = "abort"`.
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
                 of the wrong shape, will end it at once, without `on_exception` and without a checkpoint",
            );
        });
    }
}

/// Runs `call`. Where it panics, the error says what the panic said and where it happened, and nothing is printed.
///
/// What the panic left half-done is not looked at again: the error ends the run, unless users decide otherwise.
pub(crate) fn catch<T>(call: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    print_only_those_outside();
    let was_inside = INSIDE.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    INSIDE.set(was_inside);
    outcome.unwrap_or_else(|panic| {
        let text = readable(text(panic.as_ref()));
        Err(anyhow::Error::msg(message(&text, PANICKED_AT.take().as_deref())))
    })
}

/// As [`catch`], for a hook. Its location is needed only where panics abort.
pub(crate) fn catch_in_hook<T>(
    location: Option<HookLocation>,
    call: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let Some(location) = location else { return catch(call) };
    let outer = LOCATION.replace(Some(location));
    let outcome = catch(call);
    LOCATION.set(outer);
    outcome
}

/// A panic that becomes an error need not be printed as well. Others go the way they went.
fn print_only_those_outside() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !INSIDE.get() {
                before(panic);
            } else if aborts() {
                // a progress bar may have left its line open
                terminal::say_in_panic(format_args!("\nerror: {}", last_words(panic, LOCATION.get())));
                std::process::abort();
            } else {
                PANICKED_AT.set(place(panic));
            }
        }));
    });
}

/// The line of the user's that a panic came from, or else its own. Prints the whole backtrace where `RUST_BACKTRACE` asks for it.
fn place(panic: &PanicHookInfo<'_>) -> Option<String> {
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        terminal::say_in_panic(format_args!("\n{backtrace}"));
    }
    let own = panic.location();
    let users = || users_line::of(&Backtrace::force_capture());
    let users = own.is_none_or(|location| users_line::is_foreign(location.file())).then(users).flatten();
    users.or_else(|| own.map(ToString::to_string))
}

/// The message of a panic that aborts.
fn last_words(panic: &PanicHookInfo<'_>, location: Option<HookLocation>) -> String {
    let text = readable(text(panic.payload()));
    let message = message(&text, place(panic).as_deref());
    let at = location.map_or_else(|| "the run panicked".to_owned(), |location| location.to_string());
    format!(
        "{at}: {message}. The program is built with `panic = \"abort\"`, so that it ends here, without `on_exception` and \
         without a checkpoint: remove that line from the profile in Cargo.toml, or call the methods of tensors that \
         start with `f_` and return errors"
    )
}

fn text(panic: &dyn Any) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message")
}

fn message(text: &str, place: Option<&str>) -> String {
    match place {
        Some(place) => format!("{text} (panicked at {place})"),
        None => text.to_owned(),
    }
}

/// tch unwraps libtorch's exceptions, which puts them, escaped, in the middle of a panic's text.
fn readable(text: &str) -> String {
    let torch = text.split_once("Torch(\"").map_or(text, |(_, message)| message);
    crate::native::readable(&without_backtrace(torch).replace("\\n", " ").replace("\\\"", "\"")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(call: impl FnOnce()) -> String {
        let said = catch(|| {
            call();
            Ok(())
        });
        said.unwrap_err().to_string()
    }

    #[test]
    fn a_panic_says_what_and_where() {
        let number = 3;
        let formatted = said(|| panic!("no file {number}"));
        assert!(formatted.starts_with(concat!("no file 3 (panicked at ", file!(), ":")), "{formatted}");
        assert!(said(|| panic!("no file")).starts_with("no file (panicked at "));
        // `panic_any` reports no location
        assert!(said(|| std::panic::panic_any(3)).starts_with("a panic without a message"));
        assert_eq!(catch(|| Ok(3)).unwrap(), 3);
    }

    #[test]
    fn libtorchs_panics_lose_their_backtrace() {
        let said = said(|| {
            let _ = tch::Tensor::from_slice(&[1.0, 2.0]) + tch::Tensor::from_slice(&[1.0, 2.0, 3.0]);
        });
        assert!(said.starts_with("The size of tensor a (2) must match the size of tensor b (3)"), "{said}");
        assert!(!said.contains("Exception raised") && !said.contains('\n'), "{said}");
    }
}
