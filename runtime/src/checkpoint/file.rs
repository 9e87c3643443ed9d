//! Checkpoint files.

use super::checksum::{Checksum, position_in};
use super::decode::{Decoded, is_of_torch_save, metadata_of};
use super::encode::Encoded;
use super::header::{Header, length_of_header};
use super::layout::LENGTH;
use super::{Checkpoint, CheckpointError, Metadata, lightning};
use crate::atomic_file;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The number of bytes of a file that are held in memory while it is verified.
const PIECE: usize = 1 << 20;

impl Checkpoint {
    /// Writes the checkpoint atomically: to a temporary file next to `path`, which is flushed to the disk and renamed. Missing
    /// folders are created. Temporary files left behind by killed processes are removed once they are a day old. A symbolic link is
    /// replaced, as `last.ckpt` may be one to another checkpoint, which stays.
    ///
    /// # Errors
    /// [`CheckpointError`] if the file cannot be written; then an existing file is unchanged. A pipe, a socket or a device is not replaced.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let encoded = self.encoded()?;
        in_its_folder(path, || atomic_file::replace(path, |file| encoded.write(file)))
    }

    /// Reads a checkpoint, with its tensors on the CPU: one of this crate, or of PyTorch Lightning, from which a `fit` resumes as well.
    ///
    /// # Errors
    /// [`CheckpointError`] if the file cannot be read, is not a checkpoint, or is damaged.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        if Opened::new(path)?.is_of_torch_save() {
            lightning::read(path)
        } else {
            Decoded::new(&bytes(path)?, path)?.checkpoint()
        }
    }

    /// Verifies that the file at `path` is a complete checkpoint with a correct checksum. It reads the file in pieces and
    /// creates no tensors.
    ///
    /// # Errors
    /// The same as those of [`read`](Self::read).
    pub fn verify(path: &Path) -> Result<(), CheckpointError> {
        Self::read_metadata(path).map(drop)
    }

    /// Returns the checksum that the checkpoint at `path` states for itself, if it has one; that of its bytes for one of PyTorch Lightning.
    pub(crate) fn checksum(path: &Path) -> Result<Option<String>, CheckpointError> {
        let unread = |source| CheckpointError::Read { path: path.to_owned(), source };
        let damaged = |reason| CheckpointError::damaged(path, reason);
        let opened = Opened::new(path)?;
        let is_of_torch_save = opened.is_of_torch_save();
        let Opened { file, size, start } = opened;
        if is_of_torch_save {
            let mut sum = Checksum::of_start(&start);
            in_pieces(file, |piece| sum.add(piece)).map_err(unread)?;
            return Ok(Some(sum.digits()));
        }
        let length = length_of_header(&start, size).map_err(damaged)?;
        let mut text = String::new();
        file.take(length as u64).read_to_string(&mut text).map_err(unread)?;
        Ok(position_in(&text).map(|position| text[position].to_owned()))
    }

    /// Returns the metadata of the checkpoint at `path`, after [verifying](Self::verify) it.
    pub(crate) fn read_metadata(path: &Path) -> Result<Metadata, CheckpointError> {
        let unread = |source| CheckpointError::Read { path: path.to_owned(), source };
        let damaged = |reason| CheckpointError::damaged(path, reason);
        let opened = Opened::new(path)?;
        if opened.is_of_torch_save() {
            return Ok(lightning::read(path)?.metadata);
        }
        let Opened { mut file, size, start } = opened;
        let length = length_of_header(&start, size).map_err(damaged)?;
        let mut text = Vec::new();
        file.by_ref().take(length as u64).read_to_end(&mut text).map_err(unread)?;
        let header = Header::parse(&text, size - (LENGTH + length) as u64).map_err(damaged)?;
        if let Some(mut comparison) = header.comparison(&text).map_err(damaged)? {
            in_pieces(file, |piece| comparison.add(piece)).map_err(unread)?;
            comparison.end().map_err(damaged)?;
        }
        metadata_of(&header, path)
    }
}

/// Writes a file of tensors atomically.
pub(super) fn write(encoded: &Encoded<'_>, path: &Path) -> Result<(), CheckpointError> {
    in_its_folder(path, || atomic_file::write(path, |file| encoded.write(file)))
}

/// Creates the folder of a file, and writes it.
fn in_its_folder(path: &Path, write: impl FnOnce() -> io::Result<()>) -> Result<(), CheckpointError> {
    let written = atomic_file::make_folders(atomic_file::folder_of(path)).and_then(|()| write());
    written.map_err(|error| CheckpointError::of_writing(error, path))
}

/// Reads a regular file.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let (mut file, size) = open(path)?;
    let mut bytes = Vec::new();
    let read = bytes.try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX)).map_err(io::Error::other);
    read.and_then(|()| file.read_to_end(&mut bytes))
        .map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// A regular file whose first bytes were read, which tell what it is. They are as many as the length of a header.
pub(super) struct Opened {
    /// The file, after these bytes.
    pub(super) file: File,
    size: u64,
    start: Vec<u8>,
}

impl Opened {
    pub(super) fn new(path: &Path) -> Result<Self, CheckpointError> {
        let (mut file, size) = open(path)?;
        let mut start = Vec::new();
        let read = file.by_ref().take(LENGTH as u64).read_to_end(&mut start);
        read.map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
        Ok(Self { file, size, start })
    }

    pub(super) fn is_of_torch_save(&self) -> bool {
        is_of_torch_save(&self.start)
    }
}

/// Opens a file and returns its size. Folders, pipes, sockets and devices are rejected before they are opened.
pub(super) fn open(path: &Path) -> Result<(File, u64), CheckpointError> {
    let unread = |source| CheckpointError::Read { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(unread)?;
    let what = match metadata.file_type() {
        kind if kind.is_file() => return Ok((File::open(path).map_err(unread)?, metadata.len())),
        kind if kind.is_dir() => "a folder",
        _ => "a pipe, a socket or a device",
    };
    Err(CheckpointError::NoFile { path: path.to_owned(), what })
}

fn in_pieces(mut from: impl Read, mut with: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => with(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
