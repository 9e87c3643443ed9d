//! An error with everything that caused it, as a sentence.

use crate::native::readable;
use crate::shown::shown;

/// An error and what caused it, in one line. What stems from files has no control characters that a terminal would obey.
pub(crate) fn in_one_line(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = shown(&readable(&cause.to_string()).replace('\n', " "), usize::MAX);
        // transparent errors repeat what they wrap
        if parts.last().is_none_or(|last| !last.ends_with(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_and_its_causes_fit_in_a_line() {
        let error = anyhow::anyhow!("no such row").context("can't read the data");
        assert_eq!(in_one_line(&error), "can't read the data: no such row");
    }
}
