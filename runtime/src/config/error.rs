/// An invalid configuration, or one that does not fit the run: the text lists every mistake.
///
/// The other errors of a run are in [`Error`](crate::Error), which has this one as
/// [`Error::Configuration`](crate::Error::Configuration).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigurationError(String);

impl From<String> for ConfigurationError {
    fn from(mistakes: String) -> Self {
        Self(mistakes)
    }
}

impl From<&str> for ConfigurationError {
    fn from(mistakes: &str) -> Self {
        Self(mistakes.to_owned())
    }
}
