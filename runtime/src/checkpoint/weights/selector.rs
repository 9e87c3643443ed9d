//! Patterns of the names that a load is about.

use crate::checkpoint::CheckpointError;
use crate::mismatch::first_of;
use crate::optim::{OptimizerError, Pattern};

/// A pattern with the method that it was given to.
pub(super) struct Selector {
    method: Method,
    text: String,
    pattern: Pattern,
}

/// The methods of [`Weights`](super::Weights) that take a pattern.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Method {
    Only,
    Except,
    Transpose,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Only => "only",
            Self::Except => "except",
            Self::Transpose => "transpose",
        }
    }
}

impl Selector {
    pub(super) fn new(method: Method, text: &str) -> Result<Self, CheckpointError> {
        let invalid = |error| match error {
            OptimizerError::Pattern { pattern, reason, .. } => {
                format!("`{pattern}` is not a valid pattern of parameter names: {reason}")
            }
            other => other.to_string(),
        };
        let pattern =
            Pattern::new("weights", text).map_err(|error| CheckpointError::Selection { reason: invalid(error) })?;
        Ok(Self { method, text: text.to_owned(), pattern })
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.pattern.matches(name)
    }

    /// Returns an error if the pattern matches none of these names, which are those of the file and of the variables.
    ///
    /// Each alternative of `{a,b}` must match a name. Of [`Method::Except`] it is enough that one does, and an alternative that begins with
    /// `**` need not: files differ in what is to be ignored wherever it is, such as masks, and `lora::ADAPTERS` is about modules with and
    /// without them.
    pub(super) fn check(&self, names: &[String]) -> Result<(), CheckpointError> {
        let mut unmatched = self.pattern.unmatched(names);
        let is_except = self.method == Method::Except;
        if is_except && (names.iter().any(|name| self.matches(name)) || unmatched.any(|one| one.starts_with("**"))) {
            return Ok(());
        }
        let Some(alternative) = self.pattern.unmatched(names).next() else { return Ok(()) };
        let (text, method) = (&self.text, self.method.name());
        let of = if alternative == *text { String::new() } else { format!(", of the pattern `{text}`") };
        let is_module =
            names.iter().any(|name| name.strip_prefix(&alternative).is_some_and(|rest| rest.starts_with('.')));
        let advice = if is_module {
            format!("write `{alternative}.**` for all names below it")
        } else {
            format!("the names are {}", first_of(names))
        };
        Err(CheckpointError::Selection {
            reason: format!("no name matches `{alternative}`{of} of `{method}`: {advice}"),
        })
    }
}
