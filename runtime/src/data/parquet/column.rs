//! The values of a column, in the few types that matter to a model.

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError as FormatError, Result};
use parquet::schema::types::ColumnDescriptor;
use tch::{Kind, Tensor};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Booleans,
    Integers,
    Unsigned,
    Floats,
    Text,
}

impl Content {
    /// Returns what a column holds, or the name of its type if that is none of these.
    pub(super) fn of(column: &ColumnDescriptor) -> std::result::Result<Self, String> {
        if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
            return Err("lists or structs".to_owned());
        }
        match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
            (Type::BOOLEAN, ..) => Ok(Self::Booleans),
            (Type::FLOAT | Type::DOUBLE, ..) => Ok(Self::Floats),
            (Type::INT32 | Type::INT64, Some(LogicalType::Integer(integer)), _) => {
                Ok(if integer.is_signed { Self::Integers } else { Self::Unsigned })
            }
            (Type::INT32 | Type::INT64, None, converted) => match converted {
                ConvertedType::NONE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64 => Ok(Self::Integers),
                ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                    Ok(Self::Unsigned)
                }
                ConvertedType::DECIMAL => Err("decimal numbers".to_owned()),
                _ => Err("dates or times".to_owned()),
            },
            (_, Some(LogicalType::Decimal(_)), _) => Err("decimal numbers".to_owned()),
            (_, Some(LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_)), _) | (Type::INT96, ..) => {
                Err("dates or times".to_owned())
            }
            (Type::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
            | (Type::BYTE_ARRAY, None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON) => {
                Ok(Self::Text)
            }
            _ => Err("bytes".to_owned()),
        }
    }

    /// The plural of what the values are, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Booleans => "booleans",
            Self::Integers | Self::Unsigned => "integers",
            Self::Floats => "floating-point numbers",
            Self::Text => "text",
        }
    }
}

/// The values of a column in a row group. Those of nulls are arbitrary.
#[derive(Debug)]
pub(super) enum Values {
    Booleans(Vec<bool>),
    Integers(Vec<i64>),
    /// With 64 bits.
    Unsigned(Vec<u64>),
    Floats(Vec<f64>),
    Text(Vec<String>),
}

/// A column in a row group.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) values: Values,
    /// Whether each value is there; `None` if all are.
    valid: Option<Vec<bool>>,
}

impl Column {
    /// Reads the values of `rows` rows, which `column` describes.
    pub(super) fn read(reader: ColumnReader, content: Content, rows: usize) -> Result<Self> {
        let unsigned = content == Content::Unsigned;
        match reader {
            ColumnReader::BoolColumnReader(reader) => read(reader, rows, Ok, Values::Booleans),
            ColumnReader::Int32ColumnReader(reader) => {
                let widened = |value: i32| Ok(if unsigned { i64::from(value as u32) } else { i64::from(value) });
                read(reader, rows, widened, Values::Integers)
            }
            ColumnReader::Int64ColumnReader(reader) => match unsigned {
                true => read(reader, rows, |value| Ok(value as u64), Values::Unsigned),
                false => read(reader, rows, Ok, Values::Integers),
            },
            ColumnReader::FloatColumnReader(reader) => read(reader, rows, |value| Ok(f64::from(value)), Values::Floats),
            ColumnReader::DoubleColumnReader(reader) => read(reader, rows, Ok, Values::Floats),
            ColumnReader::ByteArrayColumnReader(reader) => {
                let text = |bytes: ByteArray| bytes.as_utf8().map(str::to_owned);
                read(reader, rows, text, Values::Text)
            }
            _ => Err(FormatError::General("the type of a column differs from the schema".to_owned())),
        }
    }

    /// Whether the value of a row is null.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.valid.as_ref().is_some_and(|valid| !valid[row])
    }

    /// Returns the first row that is null.
    pub(super) fn first_null(&self) -> Option<usize> {
        self.valid.as_ref()?.iter().position(|valid| !valid)
    }

    /// Returns the values as a tensor of one dimension. The error is the first row whose integer does not fit the dtype.
    pub(super) fn tensor(&self, kind: Kind) -> std::result::Result<Tensor, usize> {
        match &self.values {
            Values::Booleans(values) => Ok(Tensor::from_slice(values).to_kind(kind)),
            Values::Floats(values) => Ok(Tensor::from_slice(values).to_kind(kind)),
            Values::Unsigned(values) => {
                let signed = values.iter().map(|value| i64::try_from(*value)).enumerate();
                let signed =
                    signed.map(|(row, value)| value.map_err(|_| row)).collect::<std::result::Result<_, _>>()?;
                Self { values: Values::Integers(signed), valid: None }.tensor(kind)
            }
            Values::Integers(values) => {
                let range = match kind {
                    Kind::Uint8 => 0..=255,
                    Kind::Int8 => i64::from(i8::MIN)..=i64::from(i8::MAX),
                    Kind::Int16 => i64::from(i16::MIN)..=i64::from(i16::MAX),
                    Kind::Int => i64::from(i32::MIN)..=i64::from(i32::MAX),
                    _ => i64::MIN..=i64::MAX,
                };
                let outside = values.iter().position(|value| !range.contains(value));
                outside.map_or_else(|| Ok(Tensor::from_slice(values).to_kind(kind)), Err)
            }
            Values::Text(_) => unreachable!("columns of text are refused before they are read"),
        }
    }
}

/// Reads a column of one type, with nulls at their places.
fn read<T: DataType, V: Default>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    convert: impl Fn(T::T) -> Result<V>,
    values: impl Fn(Vec<V>) -> Values,
) -> Result<Column> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    let (records, ..) = reader.read_records(rows, Some(&mut levels), None, &mut present)?;
    if records != rows {
        return Err(FormatError::EOF(format!("a column has {records} of {rows} rows")));
    }
    let present = present.into_iter().map(convert);
    if levels.iter().all(|level| *level > 0) {
        // required columns have no levels
        return Ok(Column { values: values(present.collect::<Result<_>>()?), valid: None });
    }
    let mut present = present;
    let filled = levels.iter().map(|level| match level {
        0 => Ok(V::default()),
        _ => present.next().unwrap_or_else(|| Err(FormatError::EOF("a column lacks values".to_owned()))),
    });
    let filled = values(filled.collect::<Result<_>>()?);
    Ok(Column { values: filled, valid: Some(levels.iter().map(|level| *level > 0).collect()) })
}
