use crate::hook::Hook;
use std::fmt;

/// The location of a hook in the source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The hook.
    pub hook: Hook,
    /// The file, as its path was passed to the compiler.
    pub file: &'static str,
    /// The line of the hook's name, from 1.
    pub line: u32,
}

impl SourceLocation {
    /// Returns the location that `file!()` and `line!()` name.
    pub const fn new(hook: Hook, file: &'static str, line: u32) -> Self {
        Self { hook, file, line }
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
