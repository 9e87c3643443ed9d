//! Decoding of a checkpoint from untrusted bytes.

use super::dtype::{description, is_known, tensor_of};
use super::header::{Header, length_of_header};
use super::layout::{CHECKSUM, FIRST_WITH_CHECKSUM, LAYOUT, LENGTH, METADATA};
use super::{Checkpoint, CheckpointError, Metadata, lightning};
use crate::json;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use tch::{Kind, Tensor};

/// The first bytes of files of `torch.save`: those of a zip file, and before PyTorch 1.6 those of a pickle with a magic number.
const PICKLES: [&[u8]; 2] = [b"PK\x03\x04", b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"];

/// A complete safetensors file, whose checksum is correct if it has one.
pub(super) struct Decoded<'a> {
    header: Header,
    /// The position of the elements in the file.
    start: usize,
    elements: &'a [u8],
    path: &'a Path,
}

/// Where a tensor is in a file.
pub(super) struct Position {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) shape: Vec<i64>,
    /// The range of its elements in the file.
    pub(super) range: Range<usize>,
}

impl Checkpoint {
    /// Decodes the bytes of [`to_bytes`](Self::to_bytes), or of a checkpoint of PyTorch Lightning, with the tensors on the CPU. Whatever the
    /// bytes claim, the memory used depends only on their number.
    ///
    /// # Errors
    /// [`CheckpointError`] if the bytes are not a checkpoint, or are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let path = Path::new("in memory");
        if is_of_torch_save(bytes) {
            return lightning::decode(Cursor::new(bytes), bytes.len() as u64, path);
        }
        Decoded::new(bytes, path)?.checkpoint()
    }
}

impl<'a> Decoded<'a> {
    /// Parses the bytes of a file. Errors name `path`.
    pub(super) fn new(bytes: &'a [u8], path: &'a Path) -> Result<Self, CheckpointError> {
        let damaged = |reason| CheckpointError::damaged(path, reason);
        let (start, rest) = bytes.split_at(bytes.len().min(LENGTH));
        let length = length_of_header(start, bytes.len() as u64).map_err(damaged)?;
        let (text, elements) = rest.split_at(length);
        let header = Header::parse(text, elements.len() as u64).map_err(damaged)?;
        if let Some(mut comparison) = header.comparison(text).map_err(damaged)? {
            comparison.add(elements);
            comparison.end().map_err(damaged)?;
        }
        Ok(Self { header, start: LENGTH + length, elements, path })
    }

    pub(super) fn checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        Ok(Checkpoint { metadata: self.metadata()?, tensors: self.tensors()?, lightning: None })
    }

    /// The metadata of one of this crate's checkpoints.
    pub(super) fn metadata(&self) -> Result<Metadata, CheckpointError> {
        metadata_of(&self.header, self.path)
    }

    /// Whether the file is one of this crate's checkpoints.
    pub(super) fn is_checkpoint(&self) -> bool {
        self.header.value(METADATA).is_some()
    }

    /// The tensors, without their elements.
    pub(super) fn positions(&self) -> Result<Vec<Position>, CheckpointError> {
        let mut foreign = self.header.tensors().filter(|(_, info)| !is_known(info.dtype));
        if let Some((name, info)) = foreign.next() {
            let (path, dtype) = (self.path.to_owned(), info.dtype.to_string());
            return Err(CheckpointError::ForeignDtype { path, name, dtype });
        }
        let positions = self.header.tensors().map(|(name, info)| match description(info) {
            Ok((kind, shape)) => {
                let (start, end) = info.data_offsets;
                Ok(Position { name, kind, shape, range: self.start + start..self.start + end })
            }
            Err(what) => Err(CheckpointError::damaged(self.path, format!("`{name}` {what}"))),
        });
        positions.collect()
    }

    pub(super) fn tensors(&self) -> Result<BTreeMap<String, Tensor>, CheckpointError> {
        let tensors = self.header.tensors().map(|(name, info)| {
            let (start, end) = info.data_offsets;
            let tensor = tensor_of(info, &self.elements[start..end]);
            let tensor = tensor.map_err(|what| CheckpointError::damaged(self.path, format!("`{name}` {what}")))?;
            Ok((name, tensor))
        });
        tensors.collect()
    }
}

/// Whether these are the first bytes of a file of `torch.save`.
pub(super) fn is_of_torch_save(start: &[u8]) -> bool {
    PICKLES.iter().any(|pickle| start.starts_with(pickle))
}

/// Returns the metadata in a header, if its layout is known and it has the checksum that the layout requires.
pub(super) fn metadata_of(header: &Header, path: &Path) -> Result<Metadata, CheckpointError> {
    let text = header.value(METADATA).ok_or_else(|| CheckpointError::Foreign { path: path.to_owned() })?;
    let damaged = |error: serde_json::Error| CheckpointError::damaged(path, format!("its metadata: {error}"));
    let value: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
    match value.get("layout").and_then(serde_json::Value::as_u64) {
        Some(layout) if layout > u64::from(LAYOUT) => Err(CheckpointError::Newer { path: path.to_owned(), layout }),
        Some(layout) if layout >= FIRST_WITH_CHECKSUM && header.value(CHECKSUM).is_none() => {
            Err(CheckpointError::damaged(path, "it has no checksum".to_owned()))
        }
        _ => {
            let metadata: Metadata = json::from_value(&value).map_err(damaged)?;
            match metadata.impossible_counter() {
                None => Ok(metadata),
                Some(counter) => Err(CheckpointError::damaged(path, counter)),
            }
        }
    }
}
