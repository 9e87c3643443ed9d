//! An error with everything that caused it, as a sentence.

use crate::native::readable;
use crate::shown::shown;

/// Formats an error and its causes in one line. Control characters are removed, as the text may come from files.
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
    fn error_and_its_causes_fit_in_a_line() {
        let error = anyhow::anyhow!("no such row").context("cannot read the data");
        assert_eq!(in_one_line(&error), "cannot read the data: no such row");
    }
}
