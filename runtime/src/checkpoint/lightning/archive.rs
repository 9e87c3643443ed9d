//! The zip files of `torch.save`: a pickle, and the elements of each storage.
//!
//! [The format](https://github.com/pytorch/pytorch/blob/v2.13.0/caffe2/serialize/inline_container.h).

use super::pickle::Pickle;
use super::unpickle::{Described, unpickle};
use super::value::Value;
use crate::atomic_file;
use crate::checkpoint::CheckpointError;
use crate::checkpoint::dtype::{bytes_of, check_values, kind_of_storage};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use tch::{Kind, Tensor};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const PICKLE: &str = "data.pkl";

/// The folder of the records that this crate writes, and the version of the format.
const FOLDER: &str = "checkpoint";
const VERSION: &[u8] = b"3\n";

/// The alignment of storages, with which PyTorch can map them into memory.
const ALIGNMENT: u16 = 64;

/// Reads a file of `torch.save` with this number of bytes. Errors name `path`.
///
/// # Errors
/// If the file cannot be read, or is not one that PyTorch from 1.6 on writes.
pub(super) fn read(file: impl Read + Seek, size: u64, path: &Path) -> Result<Value, CheckpointError> {
    let invalid = |reason: String| CheckpointError::OfTorchSave { path: path.to_owned(), reason };
    let mut records = Records::new(file, size).map_err(invalid)?;
    let pickle = records.read(PICKLE).map_err(invalid)?;
    unpickle(&pickle, &mut |described| records.tensor(&described)).map_err(invalid)
}

/// Writes a value as a file of `torch.save`, atomically.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(value: &Value, path: &Path) -> Result<(), CheckpointError> {
    let pickle = Pickle::of(value)?;
    let written = atomic_file::make_folders(atomic_file::folder_of(path))
        .and_then(|()| atomic_file::write(path, |file| write_records(&pickle, file)));
    written.map_err(|error| CheckpointError::of_writing(error, path))
}

fn write_records(pickle: &Pickle<'_>, file: &mut File) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .with_alignment(ALIGNMENT)
        .large_file(true);
    let mut archive = ZipWriter::new(file);
    let mut record = |name: &str, bytes: &[u8]| {
        archive.start_file(format!("{FOLDER}/{name}"), options)?;
        archive.write_all(bytes)
    };
    record(PICKLE, &pickle.bytes)?;
    record("byteorder", b"little")?;
    for (index, tensor) in pickle.tensors.iter().enumerate() {
        record(&format!("data/{index}"), &bytes_of(tensor).map_err(io::Error::other)?)?;
    }
    record("version", VERSION)?;
    archive.finish()?;
    Ok(())
}

/// The records of an archive, and the storages that were read.
struct Records<File: Read + Seek> {
    archive: ZipArchive<File>,
    /// The folder of all records, with a slash.
    folder: String,
    size: u64,
    storages: HashMap<String, Tensor>,
}

impl<File: Read + Seek> Records<File> {
    fn new(file: File, size: u64) -> Result<Self, String> {
        let archive = ZipArchive::new(file)
            .map_err(|error| format!("it is not a zip file, as PyTorch from 1.6 on writes it: {error}"))?;
        let mut names = archive.file_names().flatten();
        let folder = names.find_map(|name| name.strip_suffix(PICKLE).map(str::to_owned));
        drop(names);
        let folder = folder.ok_or_else(|| format!("it is a zip file without `{PICKLE}`"))?;
        let mut records = Self { archive, folder, size, storages: HashMap::new() };
        let byteorder = records.read("byteorder").unwrap_or_default();
        match byteorder.as_slice() {
            b"" | b"little" => Ok(records),
            _ => Err("it was written on a machine with another order of bytes".to_owned()),
        }
    }

    /// Returns a record, whose checksum is compared.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let damaged = |error: &dyn std::fmt::Display| format!("its record `{name}` cannot be read: {error}");
        let record = self.archive.by_name(&format!("{}{name}", self.folder)).map_err(|error| damaged(&error))?;
        // PyTorch compresses nothing, so that a record is not larger than the file
        if record.compression() != CompressionMethod::Stored || record.size() > self.size {
            return Err(damaged(&"it is compressed"));
        }
        let mut bytes = Vec::new();
        record.take(self.size).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        Ok(bytes)
    }

    fn tensor(&mut self, described: &Described<'_>) -> Result<Tensor, String> {
        let Described { class, key, offset, size, stride } = described;
        let kind = kind_of_storage(class).ok_or_else(|| format!("it has a tensor of the unknown class `{class}`"))?;
        let storage = self.storage(key, kind)?;
        // not copied, as a tensor may have the same few elements many times
        storage
            .f_as_strided(size, stride, *offset)
            .map_err(|error| format!("its tensor in the record `data/{key}` is not possible: {error}"))
    }

    fn storage(&mut self, key: &str, kind: Kind) -> Result<Tensor, String> {
        if let Some(storage) = self.storages.get(key).filter(|storage| storage.kind() == kind) {
            return Ok(storage.shallow_clone());
        }
        let bytes = self.read(&format!("data/{key}"))?;
        check_values(kind, &bytes).map_err(|what| format!("its record `data/{key}` {what}"))?;
        let length = bytes.len() / kind.elt_size_in_bytes();
        let bytes = &bytes[..length * kind.elt_size_in_bytes()];
        let storage = Tensor::f_from_data_size(bytes, &[length as i64], kind).map_err(|error| error.to_string())?;
        self.storages.insert(key.to_owned(), storage.shallow_clone());
        Ok(storage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Returns what is read of an archive with this pickle and a storage of one number.
    fn read_with(pickle: &[u8]) -> Result<Value, String> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (name, bytes) in [("a/data.pkl", pickle), ("a/data/0", &7.5_f32.to_le_bytes())] {
            archive.start_file(name, options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        read(Cursor::new(&bytes), bytes.len() as u64, Path::new("FILE")).map_err(|error| error.to_string())
    }

    #[test]
    fn tensor_that_repeats_its_elements_takes_no_memory_for_them() {
        // of 2^40 elements with a stride of 0
        let pickle = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0\x30X\x03\0\0\0cpu\
            J\x01\0\0\0tQJ\0\0\0\0\x8a\x06\0\0\0\0\0\x01\x85J\0\0\0\0\x85\x89}tR.";
        let Value::Tensor(tensor) = read_with(pickle).unwrap() else { panic!() };
        assert_eq!((tensor.size(), tensor.double_value(&[1 << 39])), (vec![1 << 40], 7.5));
    }

    #[test]
    fn text_in_many_places_is_refused() {
        let length = 100_000_u32;
        let mut pickle = b"\x80\x02](X".to_vec();
        pickle.extend(length.to_le_bytes());
        pickle.extend(vec![b'a'; length as usize]);
        pickle.extend(b"q\0");
        pickle.extend(b"h\0".repeat(2000));
        pickle.extend(b"e.");
        assert_eq!(
            read_with(&pickle).unwrap_err(),
            "cannot read FILE, a file of `torch.save`: its values take more than 256 times the memory of its pickle"
        );
    }

    #[test]
    fn attributes_that_are_set_many_times_take_memory_once() {
        let mut pickle = b"\x80\x02cargparse\nNamespace\n)\x81}(".to_vec();
        (0..50_000_u16).for_each(|key| pickle.extend([b'M', key.to_le_bytes()[0], key.to_le_bytes()[1], b'N']));
        pickle.extend(b"uq\0b");
        pickle.extend(b"h\0b".repeat(50_000));
        pickle.push(b'.');
        assert_eq!(read_with(&pickle).unwrap().entries().count(), 50_000);
    }
}
