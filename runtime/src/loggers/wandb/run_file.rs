//! Run files: records in the form of LevelDB's [log files](https://github.com/google/leveldb/blob/main/doc/log_format.md), after a header.

use super::proto::{Kind, Record};
use crate::loggers::appended_file::AppendedFile;
use prost::Message;
use std::io;
use std::path::PathBuf;

/// What a run file begins with: its name, a number and a version.
const HEADER: [u8; 7] = *b":W&B\xe1\xbe\0";
/// Records do not cross the end of a block, except in several pieces.
const BLOCK: usize = 32 * 1024;
/// The checksum, length and kind of a piece.
const PIECE_HEADER: usize = 7;

/// A run file.
#[derive(Debug)]
pub(super) struct RunFile {
    file: AppendedFile,
    /// The number of records in it.
    records: i64,
}

impl RunFile {
    /// Returns a file of which the first `length` bytes, and as many records, are part of the log.
    pub(super) fn new(path: PathBuf, length: u64, records: i64) -> Self {
        Self { file: AppendedFile::new(path, length), records }
    }

    /// Removes what follows the first `length` bytes, with the next record.
    pub(super) fn shorten(&mut self, length: u64, records: i64) {
        *self = Self::new(self.file.path().to_owned(), length, records);
    }

    pub(super) fn length(&self) -> u64 {
        self.file.length()
    }

    pub(super) fn records(&self) -> i64 {
        self.records
    }

    /// Appends records, all of them or none.
    pub(super) fn append(&mut self, kinds: Vec<Kind>) -> io::Result<()> {
        self.file.remove_rest()?;
        let mut bytes = Vec::new();
        if self.file.length() == 0 {
            bytes.extend(HEADER);
            self.records = 0;
        }
        let mut num = self.records;
        for kind in kinds {
            num += 1;
            let offset = usize::try_from(self.file.length()).map_err(io::Error::other)? + bytes.len();
            let message = Record { num, kind: Some(kind) }.encode_to_vec();
            bytes.extend(framed(&message, offset % BLOCK));
        }
        self.file.append(&bytes)?;
        self.records = num;
        Ok(())
    }

    pub(super) fn save(&mut self) -> io::Result<()> {
        self.file.save()
    }
}

/// A piece of a record, with the number that its header has.
#[derive(Clone, Copy)]
enum Piece {
    Full = 1,
    First = 2,
    Middle = 3,
    Last = 4,
}

/// Returns a record in its pieces, as they follow `offset` bytes of a block.
fn framed(message: &[u8], mut offset: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = message;
    let mut is_first = true;
    loop {
        if BLOCK - offset < PIECE_HEADER {
            // no piece fits into what is left of the block
            bytes.resize(bytes.len() + BLOCK - offset, 0);
            offset = 0;
        }
        let (data, after) = rest.split_at(rest.len().min(BLOCK - offset - PIECE_HEADER));
        let piece = match (is_first, after.is_empty()) {
            (true, true) => Piece::Full,
            (true, false) => Piece::First,
            (false, false) => Piece::Middle,
            (false, true) => Piece::Last,
        };
        bytes.extend(piece_header(piece, data));
        bytes.extend(data);
        if after.is_empty() {
            return bytes;
        }
        (rest, is_first, offset) = (after, false, 0);
    }
}

fn piece_header(piece: Piece, data: &[u8]) -> [u8; PIECE_HEADER] {
    let kind = piece as u8;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&[kind]);
    checksum.update(data);
    let [a, b, c, d] = checksum.finalize().to_le_bytes();
    // a piece is shorter than a block
    let [low, high, ..] = data.len().to_le_bytes();
    [a, b, c, d, low, high, kind]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loggers::wandb::proto::Exit;

    #[test]
    fn framed_records_are_those_of_wandb() {
        // `wandb.sdk.internal.datastore.DataStore` writes these for `Record(num=1, exit=RunExitRecord(exit_code=3))`
        let record = Record { num: 1, kind: Some(Kind::Exit(Exit { exit_code: 3, runtime: 0 })) };
        let bytes = framed(&record.encode_to_vec(), HEADER.len());
        assert_eq!(bytes, [252, 94, 21, 16, 7, 0, 1, 8, 1, 146, 1, 2, 8, 3]);
    }

    #[test]
    fn long_record_is_in_pieces_that_end_with_blocks() {
        let message = vec![7; 2 * BLOCK];
        let bytes = framed(&message, BLOCK - 10);
        let kind_and_length = |offset: usize| {
            let header = &bytes[offset..offset + PIECE_HEADER];
            (header[6], u16::from_le_bytes([header[4], header[5]]))
        };
        // 3 bytes fit into the rest of the first block, 32,761 into each whole one
        assert_eq!(kind_and_length(0), (2, 3));
        assert_eq!(kind_and_length(10), (3, 32_761));
        assert_eq!(kind_and_length(10 + BLOCK), (3, 32_761));
        assert_eq!(kind_and_length(10 + 2 * BLOCK), (4, 11));
        assert_eq!(bytes.len(), 10 + 2 * BLOCK + PIECE_HEADER + 11);
    }

    #[test]
    fn end_of_a_block_without_room_for_a_piece_is_zeros() {
        let bytes = framed(b"exit", BLOCK - 5);
        assert_eq!((&bytes[..5], bytes[5 + 6]), ([0; 5].as_slice(), 1));
    }
}
