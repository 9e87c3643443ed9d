use std::path::PathBuf;

/// A file or a folder of the run could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}: {source}", path.display())]
pub struct FileError {
    /// The failed operation, the start of a message that ends with the file: `cannot write the log`.
    pub what: &'static str,
    /// The file or the folder.
    pub path: PathBuf,
    /// Why it failed. Its sentence is part of this one, so that it is not a [`source`](std::error::Error::source).
    pub source: std::io::Error,
}
