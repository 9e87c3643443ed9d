//! Saved tensors that do not fit those that are to take them.

use std::fmt;

/// The names and shapes in which saved tensors differ from those that are to take them.
///
/// Its sentence lists the first names of each kind; the fields have them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// The names that should have been saved and were not.
    pub missing: Vec<String>,
    /// The tensors of another shape.
    pub misshaped: Vec<Misshaped>,
    /// The names that were saved and that nothing takes.
    pub unexpected: Vec<String>,
}

/// A saved tensor with another shape than it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshaped {
    /// The tensor's name, such as `fc1.weight.exp_avg`.
    pub name: String,
    /// The shape that it has.
    pub found: Vec<i64>,
    /// The shape that it should have.
    pub expected: Vec<i64>,
}

impl fmt::Display for Misshaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, found, expected } = self;
        write!(f, "{name} ({found:?} instead of {expected:?})")
    }
}

impl Mismatch {
    pub(crate) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.misshaped.is_empty() && self.unexpected.is_empty()
    }
}

/// How many names a sentence lists before it counts the rest.
const LISTED: usize = 8;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { missing, misshaped, unexpected } = self;
        let problems = [list("missing", missing), list("of another shape", misshaped), list("unexpected", unexpected)];
        f.write_str(&problems.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

fn list(problem: &str, names: &[impl fmt::Display]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{problem}: {}", first_of(names)))
}

/// The first names for a sentence, and how many there are behind them.
pub(crate) fn first_of(names: &[impl fmt::Display]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(ToString::to_string).collect();
    let rest = names.len().saturating_sub(LISTED);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
