//! Event files: records of a length, a message and checksums, as
//! [TFRecord](https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details) files have them.

use super::proto::{Event, What};
use crate::loggers::appended_file::AppendedFile;
use crate::since_1970::since_1970;
use prost::Message;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// The end of the names of the files that this crate writes.
pub(super) const SUFFIX: &str = ".tch_lightning";

/// A new event file.
#[derive(Debug)]
pub(super) struct EventFile {
    file: AppendedFile,
}

impl EventFile {
    /// Creates a file in `folder`. Its name sorts after those of earlier ones, which TensorBoard reads in that order.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        static CREATED: AtomicUsize = AtomicUsize::new(0);
        let seconds = since_1970(SystemTime::now()).as_secs();
        let host = sysinfo::System::host_name().unwrap_or_else(|| "localhost".to_owned()).replace('/', "_");
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("events.out.tfevents.{seconds:010}.{host}.{}.{number}{SUFFIX}", std::process::id());
        let mut file = Self { file: AppendedFile::new(folder.join(name), 0) };
        file.append(0, What::FileVersion("brain.Event:2".to_owned()))?;
        Ok(file)
    }

    pub(super) fn append(&mut self, step: i64, what: What) -> io::Result<()> {
        let event = Event { wall_time: now(), step, what: Some(what) };
        self.file.append(&framed(&event.encode_to_vec()))
    }

    pub(super) fn save(&mut self) -> io::Result<()> {
        self.file.save()
    }

    /// Returns the name of the file and its length in bytes.
    pub(super) fn name_and_length(&self) -> (String, u64) {
        let name = self.file.path().file_name().unwrap_or_default();
        (name.to_string_lossy().into_owned(), self.file.length())
    }
}

/// Returns the time in seconds since 1970.
pub(super) fn now() -> f64 {
    since_1970(SystemTime::now()).as_secs_f64()
}

/// Returns the files of a folder that this crate wrote, with their lengths in bytes.
pub(super) fn existing(folder: &Path) -> io::Result<Vec<(PathBuf, String, u64)>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains("tfevents") && name.ends_with(SUFFIX) && entry.path().is_file() {
            found.push((entry.path(), name, entry.metadata()?.len()));
        }
    }
    found.sort();
    Ok(found)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u64::try_from(message.len()).unwrap_or(u64::MAX).to_le_bytes();
    let checksum = |bytes: &[u8]| masked(crc32c::crc32c(bytes)).to_le_bytes();
    [&length, checksum(&length).as_slice(), message, &checksum(message)].concat()
}

/// The checksum of a checksum would be weak, so that those within files are masked.
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framed_records_are_those_of_tensorboard() {
        let event = Event { wall_time: 0.0, step: 0, what: Some(What::FileVersion("brain.Event:2".to_owned())) };
        // `tensorboard.summary.writer.record_writer.RecordWriter` of the same event
        let length = [15, 0, 0, 0, 0, 0, 0, 0, 109, 83, 43, 9];
        let message = b"\x1a\x0dbrain.Event:2";
        let checksum = [252, 152, 81, 41];
        assert_eq!(framed(&event.encode_to_vec()), [&length, message.as_slice(), &checksum].concat());
    }
}
