//! The rows of a Parquet file, one row group after the other.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::ParquetFile;
use crate::data::{IterableDataset, WorkerInfo};

/// The rows of a [`ParquetFile`] as a stream, returned by [`ParquetFile::stream`].
#[derive(Debug)]
pub struct ParquetRows<T> {
    file: ParquetFile,
    row: PhantomData<fn() -> T>,
}

impl<T> ParquetRows<T> {
    pub(super) fn new(file: ParquetFile) -> Self {
        Self { file, row: PhantomData }
    }
}

impl<T> Clone for ParquetRows<T> {
    fn clone(&self) -> Self {
        Self::new(self.file.clone())
    }
}

impl<T: DeserializeOwned> IterableDataset for ParquetRows<T> {
    type Sample = T;

    fn iter(&self, _epoch: u64, worker: WorkerInfo) -> impl Iterator<Item = anyhow::Result<T>> {
        let groups = worker.share(0..self.file.groups());
        groups.flat_map(|group| {
            let (rows, error) = match self.file.read_rows(group) {
                Ok(rows) => (rows, None),
                Err(error) => (Vec::new(), Some(Err(error.into()))),
            };
            rows.into_iter().map(Ok).chain(error)
        })
    }
}
