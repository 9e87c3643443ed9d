use crate::hook::Hook;
use std::fmt;

/// Where a hook is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The hook.
    pub hook: Hook,
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line of the hook's name, from 1.
    pub line: u32,
}

impl Place {
    /// A place that the compiler told with `file!()` and `line!()`.
    pub const fn new(hook: Hook, file: &'static str, line: u32) -> Self {
        Self { hook, file, line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
