//! A panic in a user's dataset becomes an error.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `read` and answers with its result, or with what it said when it panicked.
///
/// That the dataset may be left half changed is the user's to judge: the error ends the run unless they
/// decide otherwise.
pub(super) fn catch_panic<T>(read: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|payload| Err(anyhow::anyhow!("panicked: {}", message(&*payload))))
}

fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "with a value that is no text"
    }
}

#[cfg(test)]
mod tests {
    use super::catch_panic;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let number = 3;
        let formatted = catch_panic::<()>(|| panic!("no file {number}")).unwrap_err();
        assert_eq!(formatted.to_string(), "panicked: no file 3");
        let plain = catch_panic::<()>(|| panic!("no file")).unwrap_err();
        assert_eq!(plain.to_string(), "panicked: no file");
        let value = catch_panic::<()>(|| std::panic::panic_any(3)).unwrap_err();
        assert_eq!(value.to_string(), "panicked: with a value that is no text");
        assert_eq!(catch_panic(|| Ok(3)).unwrap(), 3);
    }
}
