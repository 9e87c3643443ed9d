//! An open Parquet file, whose errors name it.

use std::fs::File;
use std::path::Path;

use parquet::basic::Compression;
use parquet::errors::Result;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use super::ParquetError;
use super::column::{Column, Content};
use crate::{misspelling, panic};

/// A Parquet file while it is read. Each reader opens the file for itself, as readers of one file would move its position.
pub(super) struct Reader<'a> {
    path: &'a Path,
    file: SerializedFileReader<File>,
}

impl<'a> Reader<'a> {
    pub(super) fn open(path: &'a Path) -> std::result::Result<Self, ParquetError> {
        let file = File::open(path).map_err(|source| ParquetError::Read { path: path.to_owned(), source })?;
        let file = checked(path, || SerializedFileReader::new(file))?;
        Ok(Self { path, file })
    }

    fn schema(&self) -> &SchemaDescriptor {
        self.file.metadata().file_metadata().schema_descr()
    }

    /// The names of the columns; a struct is one column.
    pub(super) fn names(&self) -> Vec<String> {
        self.schema().root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect()
    }

    /// The number of rows in each row group.
    pub(super) fn group_rows(&self) -> Vec<usize> {
        self.file.metadata().row_groups().iter().map(|group| group.num_rows().max(0) as usize).collect()
    }

    /// Returns the position of a column, and what it holds or else the name of its type.
    pub(super) fn find(
        &self,
        name: &str,
    ) -> std::result::Result<(usize, std::result::Result<Content, String>), ParquetError> {
        let columns = self.schema().columns();
        let found = columns.iter().position(|column| column.path().parts().first().is_some_and(|part| part == name));
        match found {
            Some(position) => Ok((position, Content::of(&columns[position]))),
            None => Err(missing(self.path, name, &self.names())),
        }
    }

    /// Reads a column of a row group.
    pub(super) fn column(
        &self,
        group: usize,
        position: usize,
        content: Content,
    ) -> std::result::Result<Column, ParquetError> {
        let compression = self.file.metadata().row_group(group).column(position).compression();
        if !matches!(compression, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_)) {
            let name = compression.to_string();
            let name = name.split('(').next().unwrap_or_default();
            let problem = format!("it is compressed by {name}; write it with Snappy, Zstandard or no compression");
            return Err(ParquetError::Format { path: self.path.to_owned(), problem });
        }
        checked(self.path, || {
            let group = self.file.get_row_group(group)?;
            let rows = group.metadata().num_rows().max(0) as usize;
            Column::read(group.get_column_reader(position)?, content, rows)
        })
    }
}

/// Returns the error for a column that the file does not have.
pub(super) fn missing(path: &Path, column: &str, known: &[String]) -> ParquetError {
    let advice = match misspelling::nearest(column, known.iter().map(String::as_str)) {
        Some(nearest) => format!("write `{nearest}`"),
        None => format!("its columns are {}", known.join(", ")),
    };
    ParquetError::MissingColumn { path: path.to_owned(), column: column.to_owned(), advice }
}

/// Runs `read`, whose panics at a damaged file are errors, too.
fn checked<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> std::result::Result<T, ParquetError> {
    let read = panic::catch(|| Ok(read()?));
    read.map_err(|error| ParquetError::Format { path: path.to_owned(), problem: error.to_string() })
}
