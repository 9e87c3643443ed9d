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
    pub r#source: std::io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[test]
    fn cause_is_shown_once() {
        let source = std::io::Error::from_raw_os_error(2);
        let error = FileError { what: "cannot read", path: "config.json".into(), source };
        assert_eq!(error.to_string(), "cannot read config.json: No such file or directory (os error 2)");
        assert!(error.source().is_none());
    }
}
