use std::path::PathBuf;

/// An error of a [`ParquetFile`](super::ParquetFile). Rows are counted from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetError {
    /// The file could not be opened.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why it could not be opened. Its sentence is part of this one.
        r#source: std::io::Error,
    },

    /// The file is damaged, not a Parquet file, or compressed otherwise than by Snappy or Zstandard.
    #[error("cannot read {} as a Parquet file: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },

    /// The file does not have this column.
    #[error("{} has no column `{column}`: {advice}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The column with a similar name, or all columns.
        advice: String,
    },

    /// The values of a column cannot be read as this type.
    #[error("the column `{column}` of {} holds {found}, which cannot be read as {wanted}", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What the column holds, such as "text".
        found: String,
        /// What it was to be read as, such as "Float".
        wanted: String,
    },

    /// A value is null.
    #[error(
        "the column `{column}` of {} is null in row {row}: read it by `rows` into a field that is an Option, or fill it \
         before",
        path.display()
    )]
    Null {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },

    /// A row does not fit the struct, or a value the dtype.
    #[error("row {row} of {} cannot be read: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The row.
        row: usize,
        /// What is wrong, with the column.
        problem: String,
    },
}
