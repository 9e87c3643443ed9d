use crate::mismatch::Mismatch;
use std::fmt;

/// What [`Weights::load`](super::Weights::load) loaded, and what it did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The names of the variables that have the values of the file now, in alphabetical order.
    pub taken: Vec<String>,
    /// The variables that the file does not have, and its tensors that do not fit. Empty if the load is strict.
    pub mismatch: Mismatch,
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors loaded", self.taken.len())?;
        if self.mismatch.is_empty() { Ok(()) } else { write!(f, "; {}", self.mismatch) }
    }
}
