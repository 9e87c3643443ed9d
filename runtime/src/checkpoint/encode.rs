//! Encoding of a checkpoint to bytes.

use super::checksum::{Checksum, UNKNOWN, position_in};
use super::dtype::{bytes_of, dtype_of};
use super::layout::{CHECKSUM, LAYOUT, LONGEST_HEADER, METADATA};
use super::{Checkpoint, CheckpointError, Metadata};
use crate::json;
use safetensors::tensor::{Dtype, TensorInfo};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Cursor, Seek, SeekFrom, Write};
use tch::Tensor;

/// The key of the header that is not the name of a tensor.
const RESERVED: &str = "__metadata__";

/// A safetensors file whose header is complete, and whose elements are written later.
pub(super) struct Encoded<'a> {
    header: String,
    tensors: Vec<&'a Tensor>,
}

#[derive(Serialize)]
struct Header<'a> {
    __metadata__: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    tensors: BTreeMap<&'a str, TensorInfo>,
}

impl Checkpoint {
    /// Returns the bytes of the checkpoint's file, for storing it elsewhere than on a disk.
    ///
    /// # Errors
    /// [`CheckpointError`] if a tensor or the metadata cannot be represented in the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let mut bytes = Cursor::new(Vec::new());
        self.encoded()?.write(&mut bytes).map_err(|error| CheckpointError::of_writing(error, "in memory".as_ref()))?;
        Ok(bytes.into_inner())
    }

    pub(super) fn encoded(&self) -> Result<Encoded<'_>, CheckpointError> {
        let metadata = metadata_to_json(&self.metadata)?;
        let keys = BTreeMap::from([("format", "pt"), (METADATA, metadata.as_str()), (CHECKSUM, UNKNOWN)]);
        Encoded::new(self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect(), keys)
    }
}

/// Returns the metadata in the current layout.
fn metadata_to_json(metadata: &Metadata) -> Result<String, CheckpointError> {
    let lost = |error: serde_json::Error| CheckpointError::Metadata { reason: error.to_string() };
    let mut value = json::to_value(metadata).map_err(lost)?;
    value["layout"] = LAYOUT.into();
    let text = value.to_string();
    // serde_json writes deeply nested values that it refuses to read
    let read = serde_json::from_str(&text).map_err(lost)?;
    json::from_value::<Metadata>(&read).map_err(lost)?;
    Ok(text)
}

impl<'a> Encoded<'a> {
    /// The tensors under these names, with `keys` in the header.
    pub(super) fn new(
        tensors: Vec<(&'a str, &'a Tensor)>,
        keys: BTreeMap<&str, &str>,
    ) -> Result<Self, CheckpointError> {
        if tensors.iter().any(|(name, _)| *name == RESERVED) {
            return Err(CheckpointError::Reserved);
        }
        let tensors = tensors.into_iter().map(|(name, tensor)| Ok((dtype_of(name, tensor)?, name, tensor)));
        let mut tensors: Vec<(Dtype, &str, &Tensor)> = tensors.collect::<Result<_, CheckpointError>>()?;
        tensors.sort_by_key(|(dtype, name, _)| (Reverse(*dtype), *name));
        let mut end = 0;
        let infos = tensors.iter().map(|(dtype, name, tensor)| {
            let start = end;
            end += tensor.numel() * dtype.bitsize() / 8;
            let shape = tensor.size().iter().map(|length| usize::try_from(*length).unwrap_or_default()).collect();
            (*name, TensorInfo { dtype: *dtype, shape, data_offsets: (start, end) })
        });
        let header = Header { __metadata__: keys, tensors: infos.collect() };
        let header = serde_json::to_string(&header);
        let mut header = header.map_err(|error| CheckpointError::Metadata { reason: error.to_string() })?;
        header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
        refuse_long(header.len())?;
        Ok(Self { header, tensors: tensors.into_iter().map(|(.., tensor)| tensor).collect() })
    }

    /// Writes the file, one tensor at a time, and then its checksum if it has one. An error of libtorch is wrapped in an
    /// `io::Error`.
    pub(super) fn write(&self, to: impl Write + Seek) -> io::Result<()> {
        let mut to = BufWriter::with_capacity(1 << 20, to);
        let length = (self.header.len() as u64).to_le_bytes();
        let position = position_in(&self.header);
        let mut sum = position.as_ref().map(|position| Checksum::of_header(&length, self.header.as_bytes(), position));
        to.write_all(&length)?;
        to.write_all(self.header.as_bytes())?;
        for tensor in &self.tensors {
            let bytes = bytes_of(tensor).map_err(io::Error::other)?;
            if let Some(sum) = &mut sum {
                sum.add(&bytes);
            }
            to.write_all(&bytes)?;
        }
        if let (Some(position), Some(sum)) = (position, sum) {
            to.seek(SeekFrom::Start((length.len() + position.start) as u64))?;
            to.write_all(sum.digits().as_bytes())?;
        }
        to.flush()
    }
}

fn refuse_long(length: usize) -> Result<(), CheckpointError> {
    if length > LONGEST_HEADER { Err(CheckpointError::LongHeader { length }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_that_safetensors_would_not_read_is_not_written() {
        refuse_long(100_000_000).unwrap();
        assert_eq!(
            refuse_long(100_000_001).unwrap_err().to_string(),
            "the names and the metadata of a checkpoint take 100000001 bytes, but safetensors allows 100000000: store large state as tensors"
        );
    }
}
