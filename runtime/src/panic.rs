//! A panic in users' code, or in libtorch beneath it, becomes an error.

use crate::native::without_backtrace;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside of [`catch`].
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic there happened.
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `call`. Where it panics, the error says what the panic said and where it happened, and nothing is printed.
///
/// What the panic left half-done is not looked at again: the error ends the run, unless users decide otherwise.
pub(crate) fn catch<T>(call: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    print_only_those_outside();
    let was_inside = INSIDE.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    INSIDE.set(was_inside);
    outcome.unwrap_or_else(|panic| Err(anyhow::Error::msg(message(panic.as_ref()))))
}

/// A panic that becomes an error need not be printed as well. Others go the way they went.
fn print_only_those_outside() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if INSIDE.get() {
                PANICKED_AT.set(panic.location().map(ToString::to_string));
            } else {
                before(panic);
            }
        }));
    });
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = readable(text.unwrap_or("a panic without a message"));
    match PANICKED_AT.take() {
        Some(place) => format!("{text} (panicked at {place})"),
        None => text,
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
        // `panic_any` tells no place of its own
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
