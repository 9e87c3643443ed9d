//! The rows of an earlier run in an existing file.

use crate::regular_file;
use csv::{ByteRecord, Reader, ReaderBuilder};
use indexmap::IndexSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// Which rows stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    All,
    /// So many, from the first on.
    First(usize),
    /// Those before the first row of this step or a later one.
    Before(usize),
}

/// The rows that stay of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Existing {
    pub(super) columns: IndexSet<String>,
    pub(super) rows: usize,
    /// The position of the end of the last row.
    pub(super) bytes: u64,
}

impl Existing {
    /// Reads a file; `None` if it does not exist. Removes an incomplete row at its end, from a killed run.
    pub(super) fn read(path: &Path, kept: Kept) -> io::Result<Option<Self>> {
        let mut file = match regular_file::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let torn = torn_end(&mut file)?;
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
        let columns: IndexSet<String> = reader.headers()?.iter().map(str::to_owned).collect();
        if columns.is_empty() {
            return Ok(None);
        }
        let Some(step) = columns.get_index_of("step") else {
            return Err(invalid("it has no column `step`, so it is not a log of CsvLogger: choose another folder"));
        };
        let mut existing = Self { columns, rows: 0, bytes: reader.position().byte() };
        let mut row = ByteRecord::new();
        while existing.keeps_another(kept) && reader.read_byte_record(&mut row)? {
            if row.len() != existing.columns.len() || torn == Some(reader.position().byte()) {
                existing.end_in(&mut reader)?;
                break;
            }
            if matches!(kept, Kept::Before(end) if number(&row[step]).is_none_or(|step| step >= end)) {
                break;
            }
            existing.rows += 1;
            existing.bytes = reader.position().byte();
        }
        Ok(Some(existing))
    }

    fn keeps_another(&self, kept: Kept) -> bool {
        !matches!(kept, Kept::First(rows) if self.rows >= rows)
    }

    /// Only the last row may be incomplete; otherwise another program wrote the file.
    fn end_in(&self, reader: &mut Reader<File>) -> io::Result<()> {
        if !reader.read_byte_record(&mut ByteRecord::new())? {
            return Ok(());
        }
        let row = self.rows + 1;
        Err(invalid(&format!("row {row} has not as many values as there are columns: mend or remove the file")))
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_owned())
}

fn number(field: &[u8]) -> Option<usize> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// The end of the file, if it is not that of a line.
fn torn_end(file: &mut File) -> io::Result<Option<u64>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut last = *b"\n";
    if end > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    file.rewind()?;
    Ok((last != *b"\n").then_some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "step,epoch,\"loss, a\"\n0,0,0.5\n4,0,\n4,1,0.25\n9,1,0.125\n";

    fn read(text: &str, kept: Kept) -> io::Result<Option<(usize, u64)>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        std::fs::write(&path, text).unwrap();
        let existing = Existing::read(&path, kept)?;
        Ok(existing.inspect(|file| assert_eq!(file.columns[2], "loss, a")).map(|file| (file.rows, file.bytes)))
    }

    #[test]
    fn rows_stay_up_to_a_number_or_a_step() {
        let end_of = |rows: usize| FILE.match_indices('\n').nth(rows).map(|(position, _)| position as u64 + 1).unwrap();
        for (kept, rows) in [
            (Kept::All, 4),
            (Kept::First(0), 0),
            (Kept::First(3), 3),
            (Kept::First(9), 4),
            (Kept::Before(0), 0),
            (Kept::Before(4), 1),
            (Kept::Before(5), 3),
            (Kept::Before(100), 4),
        ] {
            assert_eq!(read(FILE, kept).unwrap(), Some((rows, end_of(rows))), "{kept:?}");
        }
    }

    #[test]
    fn row_that_a_kill_has_torn_does_not_stay() {
        let whole = FILE.len() as u64;
        for torn in ["1", "14,", "14,1,", "14,1,0.0625", "\0\0\0\0", "14,1,0.5\0"] {
            assert_eq!(read(&format!("{FILE}{torn}"), Kept::All).unwrap(), Some((4, whole)), "{torn:?}");
        }
    }

    #[test]
    fn missing_file_has_no_rows() {
        assert_eq!(read("", Kept::All).unwrap(), None);
        assert_eq!(Existing::read(Path::new("/nowhere/metrics.csv"), Kept::All).unwrap(), None);
    }

    #[test]
    fn file_of_another_program_is_refused() {
        let refused = |text| read(text, Kept::All).unwrap_err().to_string();
        assert!(refused("name,loss\na,0.5\n").starts_with("it has no column `step`"));
        let said = refused("step,epoch,\"loss, a\"\n0,0,0.5\n1,0\n2,0,0.5\n");
        assert!(said.starts_with("row 2 has not as many values as there are columns"), "{said}");
    }
}
