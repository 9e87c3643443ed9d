//! Columns and rows of Parquet files.

mod column;
mod error;
mod file;
mod reader;
mod row;
mod rows;

pub use error::ParquetError;
pub use file::ParquetFile;
pub use rows::ParquetRows;
