//! Reads what was appended to a file since the last look.

use super::rows::whole_lines;
use crate::regular_file;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// The number of bytes before the position by which a file that was replaced is recognized.
const SEEN: u64 = 256;

/// A file that grows, with the position up to which it was read.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    position: u64,
    /// The first and the last bytes that were read.
    first: Vec<u8>,
    last: Vec<u8>,
}

/// The lines since the last look.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Appended {
    pub(super) lines: Vec<u8>,
    /// Whether the file was replaced, so that the lines are those from its beginning. A new column of a CSV file does that, and a run that
    /// resumes in its folder.
    pub(super) from_beginning: bool,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, position: 0, first: Vec::new(), last: Vec::new() }
    }

    /// Returns the complete lines since the last call; empty if the file does not exist.
    pub(super) fn read(&mut self) -> io::Result<Appended> {
        let mut file = match regular_file::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Appended { lines: Vec::new(), from_beginning: false });
            }
            file => file?,
        };
        let was_read = self.position > 0;
        let from_beginning = was_read && !self.is_continued(&mut file)?;
        if from_beginning {
            (self.position, self.first, self.last) = (0, Vec::new(), Vec::new());
        }
        file.seek(SeekFrom::Start(self.position))?;
        let mut lines = Vec::new();
        file.read_to_end(&mut lines)?;
        lines.truncate(whole_lines(&lines).len());
        if self.position == 0 {
            self.first = lines[..lines.len().min(SEEN as usize)].to_vec();
        }
        self.position += lines.len() as u64;
        self.last.extend_from_slice(&lines);
        self.last.drain(..self.last.len().saturating_sub(SEEN as usize));
        Ok(Appended { lines, from_beginning })
    }

    /// Whether the file still begins with what was read.
    fn is_continued(&self, file: &mut File) -> io::Result<bool> {
        if file.metadata()?.len() < self.position {
            return Ok(false);
        }
        let mut has = |at: u64, bytes: &[u8]| -> io::Result<bool> {
            let mut found = vec![0; bytes.len()];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut found)?;
            Ok(found == bytes)
        };
        Ok(has(0, &self.first)? && has(self.position - self.last.len() as u64, &self.last)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    #[test]
    fn tail_reads_only_what_was_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut tail = Tail::new(path.clone());
        let appended = |text: &str, from_beginning| Appended { lines: text.as_bytes().to_vec(), from_beginning };
        assert_eq!(tail.read().unwrap(), appended("", false));
        let write =
            |text: &str| OpenOptions::new().create(true).append(true).open(&path).unwrap().write_all(text.as_bytes());
        write("step,a\n0,1\n1,").unwrap();
        assert_eq!(tail.read().unwrap(), appended("step,a\n0,1\n", false));
        assert_eq!(tail.read().unwrap(), appended("", false));
        write("2\n2,3\n").unwrap();
        assert_eq!(tail.read().unwrap(), appended("1,2\n2,3\n", false));
        // a new column, with a longer file
        fs::write(&path, "step,a,b\n0,1,\n1,2,\n2,3,\n2,,4\n").unwrap();
        assert_eq!(tail.read().unwrap(), appended("step,a,b\n0,1,\n1,2,\n2,3,\n2,,4\n", true));
        // a run that resumed, with other rows and the same columns
        fs::write(&path, "step,a,b\n0,1,\n1,7,\n2,8,\n3,,9\n4,5,\n").unwrap();
        assert!(tail.read().unwrap().from_beginning);
        fs::write(&path, "step,a\n").unwrap();
        assert_eq!(tail.read().unwrap(), appended("step,a\n", true));
    }
}
