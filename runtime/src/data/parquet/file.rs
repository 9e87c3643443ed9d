//! A Parquet file, as a table of columns.

use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tch::{Device, Kind, Tensor};

use super::column::Content;
use super::reader::Reader;
use super::row::RowGroup;
use super::{ParquetError, ParquetRows};

/// A Parquet file, as pandas, polars, pyarrow or Spark write it. With the feature `parquet`.
///
/// [`column`](Self::column) and [`columns`](Self::columns) return numbers as tensors, as `df["price"]` and `df[["area", "rooms"]]` in pandas;
/// [`rows`](Self::rows) returns a struct for each row.
///
/// ```
/// use tch_lightning::data::{ParquetFile, TensorDataset};
/// use tch_lightning::prelude::*;
///
/// # fn main() -> anyhow::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/parquet/pyarrow.parquet");
/// let houses = ParquetFile::open(path)?;
/// let features = houses.columns(["area", "rooms"], Kind::Float)?;
/// let price = houses.column("price", Kind::Float)?;
/// assert_eq!((features.size(), price.size()), (vec![100, 2], vec![100]));
///
/// let loader = DataLoader::new(TensorDataset::new((features, price))?).batch_size(32).shuffle(true);
/// # let _ = loader;
/// # Ok(())
/// # }
/// ```
///
/// Columns hold booleans, integers, floating-point numbers or text, uncompressed or compressed by Snappy or Zstandard; others are errors if they
/// are read. A clone refers to the same file.
#[derive(Debug, Clone)]
pub struct ParquetFile {
    path: Arc<Path>,
    names: Arc<[String]>,
    group_rows: Arc<[usize]>,
}

impl ParquetFile {
    /// Opens a file, and reads what it contains; its values are read later.
    ///
    /// # Errors
    /// [`ParquetError::Read`] if it cannot be opened, [`ParquetError::Format`] if it is not a Parquet file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ParquetError> {
        let path = path.as_ref();
        let reader = Reader::open(path)?;
        Ok(Self { path: path.into(), names: reader.names().into(), group_rows: reader.group_rows().into() })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.group_rows.iter().sum()
    }

    /// Whether the file has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the columns, in the order of the file.
    pub fn column_names(&self) -> &[String] {
        &self.names
    }

    /// Reads a column of numbers or booleans, as a tensor of shape `[rows]`.
    ///
    /// Booleans become 0 and 1. Floating-point numbers are not converted to integers.
    ///
    /// # Errors
    /// [`ParquetError::MissingColumn`]; [`ParquetError::ColumnType`] if its values cannot be converted to `kind`; [`ParquetError::Null`] if
    /// one is missing; [`ParquetError::Row`] if an integer does not fit `kind`; [`ParquetError::Format`] for a damaged file.
    pub fn column(&self, name: &str, kind: Kind) -> Result<Tensor, ParquetError> {
        self.read_column(&Reader::open(&self.path)?, name, kind)
    }

    /// Reads several columns of numbers or booleans, as a tensor of shape `[rows, columns]`.
    ///
    /// # Errors
    /// Those of [`column`](Self::column).
    pub fn columns<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
        kind: Kind,
    ) -> Result<Tensor, ParquetError> {
        let reader = Reader::open(&self.path)?;
        let columns = names.into_iter().map(|name| self.read_column(&reader, name.as_ref(), kind));
        match columns.collect::<Result<Vec<_>, _>>()? {
            columns if columns.is_empty() => Ok(Tensor::zeros([self.len() as i64, 0], (kind, Device::Cpu))),
            columns => Ok(Tensor::stack(&columns, 1)),
        }
    }

    /// Reads all rows, each into a struct whose fields are columns. A `Vec` of rows is a dataset.
    ///
    /// Only the columns of the struct's fields are read. A field that is an `Option` is `None` where the column is null, or is not in the
    /// file; an `enum` without values is read from text.
    ///
    /// ```
    /// use tch_lightning::data::ParquetFile;
    /// use tch_lightning::prelude::*;
    ///
    /// #[derive(Clone, serde::Deserialize, Collate)]
    /// #[collate(batch = Houses)]
    /// struct House {
    ///     area: f32,
    ///     rooms: i64,
    ///     district: String,
    /// }
    ///
    /// #[derive(Batch)]
    /// struct Houses {
    ///     area: Tensor,
    ///     rooms: Tensor,
    ///     district: Vec<String>,
    /// }
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/parquet/pyarrow.parquet");
    /// let houses: Vec<House> = ParquetFile::open(path)?.rows()?;
    /// let Houses { area, rooms, district } = DataLoader::new(houses).batch_size(32).epoch(0)?.next().unwrap()?;
    /// assert_eq!((area.size(), rooms.size(), district.len()), (vec![32], vec![32], 32));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ParquetError::MissingColumn`]; [`ParquetError::Null`] for a field that is not an `Option`; [`ParquetError::Row`] for a value of
    /// another type; [`ParquetError::Format`] for a damaged file.
    pub fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>, ParquetError> {
        let reader = Reader::open(&self.path)?;
        let mut rows = Vec::new();
        for group in 0..self.group_rows.len() {
            rows.extend(self.read_group(&reader, group)?);
        }
        Ok(rows)
    }

    /// Returns the rows as a stream, for files larger than the memory: only a row group is in memory, for each worker.
    ///
    /// The row groups are divided over the workers, so that more workers than row groups have nothing to read.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use tch_lightning::data::{DataLoader, ParquetFile};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/parquet/pyarrow.parquet");
    /// #[derive(serde::Deserialize)]
    /// struct Area {
    ///     area: f32,
    /// }
    ///
    /// # use tch_lightning::data::IterableDataset as _;
    /// let areas = ParquetFile::open(path)?.stream::<Area>();
    /// let areas = areas.collate_with(|rows| {
    ///     let areas: Vec<f32> = rows.iter().map(|row| row.area).collect();
    ///     Ok(tch::Tensor::from_slice(&areas))
    /// });
    /// let loader = DataLoader::iterable_with_workers(areas, 2).batch_size(25);
    /// assert_eq!(loader.epoch(0)?.next().unwrap()?.size(), [25]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream<T: DeserializeOwned>(self) -> ParquetRows<T> {
        ParquetRows::new(self)
    }

    pub(super) fn groups(&self) -> usize {
        self.group_rows.len()
    }

    pub(super) fn read_rows<T: DeserializeOwned>(&self, group: usize) -> Result<Vec<T>, ParquetError> {
        self.read_group(&Reader::open(&self.path)?, group)
    }

    fn read_group<T: DeserializeOwned>(&self, reader: &Reader<'_>, group: usize) -> Result<Vec<T>, ParquetError> {
        let first_row = self.group_rows[..group].iter().sum();
        RowGroup::read::<T>(&self.path, &self.names, reader, group)?.rows(self.group_rows[group], first_row)
    }

    fn read_column(&self, reader: &Reader<'_>, name: &str, kind: Kind) -> Result<Tensor, ParquetError> {
        let (position, found) = reader.find(name)?;
        let to_integers = matches!(kind, Kind::Int64 | Kind::Int | Kind::Int16 | Kind::Int8 | Kind::Uint8);
        let to_floats = matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16);
        let content = match found {
            Ok(content @ (Content::Integers | Content::Unsigned)) if to_integers || to_floats => content,
            Ok(content @ Content::Floats) if to_floats => content,
            Ok(content @ Content::Booleans) if to_integers || to_floats || kind == Kind::Bool => content,
            found => {
                let found = found.map_or_else(|name| name, |content| content.name().to_owned());
                let (path, column) = (self.path.to_path_buf(), name.to_owned());
                return Err(ParquetError::ColumnType { path, column, found, wanted: format!("{kind:?}") });
            }
        };
        let mut parts = Vec::with_capacity(self.groups());
        let mut first_row = 0;
        for (group, rows) in self.group_rows.iter().enumerate() {
            let column = reader.column(group, position, content)?;
            let (path, name) = (|| self.path.to_path_buf(), || name.to_owned());
            if let Some(row) = column.first_null() {
                return Err(ParquetError::Null { path: path(), column: name(), row: first_row + row });
            }
            parts.push(column.tensor(kind).map_err(|row| ParquetError::Row {
                path: path(),
                row: first_row + row,
                problem: format!("the value of the column `{}` does not fit {kind:?}", name()),
            })?);
            first_row += rows;
        }
        Ok(if parts.is_empty() { Tensor::zeros([0], (kind, Device::Cpu)) } else { Tensor::cat(&parts, 0) })
    }
}
