//! Rows, as serde reads them into structs.

use std::fmt;
use std::path::Path;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};

use super::ParquetError;
use super::column::{Column, Values};
use super::reader::{Reader, missing};

/// Some columns of a row group.
pub(super) struct RowGroup<'a> {
    path: &'a Path,
    /// The names of all columns of the file.
    known: &'a [String],
    columns: Vec<(&'a str, Column)>,
}

impl<'a> RowGroup<'a> {
    /// Reads the columns that `T` has as fields, or all that can be read if `T` is a map.
    pub(super) fn read<T: DeserializeOwned>(
        path: &'a Path,
        known: &'a [String],
        reader: &Reader<'_>,
        group: usize,
    ) -> Result<Self, ParquetError> {
        let mut fields = None;
        // it fails, at the first field
        let _ = T::deserialize(FieldsOf(&mut fields));
        let mut columns = Vec::new();
        for name in known.iter().filter(|name| fields.is_none_or(|fields| fields.contains(&name.as_str()))) {
            match reader.find(name)? {
                (position, Ok(content)) => columns.push((name.as_str(), reader.column(group, position, content)?)),
                (_, Err(_)) if fields.is_none() => {}
                (_, Err(found)) => {
                    let (path, column) = (path.to_owned(), name.clone());
                    return Err(ParquetError::ColumnType { path, column, found, wanted: "a field".to_owned() });
                }
            }
        }
        Ok(Self { path, known, columns })
    }

    /// Returns the rows of the group, the first of which is `first_row` of the file.
    pub(super) fn rows<T: DeserializeOwned>(&self, rows: usize, first_row: usize) -> Result<Vec<T>, ParquetError> {
        let read = |row| {
            T::deserialize(Row { columns: &self.columns, row }).map_err(|error| self.error(error, first_row + row))
        };
        (0..rows).map(read).collect()
    }

    fn error(&self, error: RowError, row: usize) -> ParquetError {
        let path = self.path.to_owned();
        match (error.problem, error.column) {
            (Problem::MissingField(field), _) => missing(self.path, field, self.known),
            (Problem::Null, Some(column)) => ParquetError::Null { path, column, row },
            (problem, None) => ParquetError::Row { path, row, problem: problem.to_string() },
            (problem, Some(column)) => {
                ParquetError::Row { path, row, problem: format!("{problem} for the column `{column}`") }
            }
        }
    }
}

/// Why a row cannot be read.
#[derive(Debug)]
struct RowError {
    column: Option<String>,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    MissingField(&'static str),
    Null,
    Other(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingField(field) => write!(formatter, "missing field `{field}`"),
            Self::Null => formatter.write_str("null"),
            Self::Other(problem) => formatter.write_str(problem),
        }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(formatter)
    }
}

impl std::error::Error for RowError {}

impl de::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { column: None, problem: Problem::Other(message.to_string()) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { column: None, problem: Problem::MissingField(field) }
    }
}

/// Finds the fields of a struct: a deserializer that keeps their names, and fails.
struct FieldsOf<'a>(&'a mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for FieldsOf<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("only the fields are read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = Some(fields);
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// A row, which is a map from columns to values.
#[derive(Clone, Copy)]
struct Row<'a> {
    columns: &'a [(&'a str, Column)],
    row: usize,
}

impl<'de> Deserializer<'de> for Row<'_> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_map(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Row<'_> {
    type Error = RowError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        self.columns.first().map(|(name, _)| seed.deserialize((*name).into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        let Some(((name, column), rest)) = self.columns.split_first() else {
            return Err(de::Error::custom("a value without its column"));
        };
        self.columns = rest;
        let value = seed.deserialize(Value { column, row: self.row });
        value.map_err(|error| RowError { column: Some((*name).to_owned()), ..error })
    }
}

/// A value of a column.
#[derive(Clone, Copy)]
struct Value<'a> {
    column: &'a Column,
    row: usize,
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        if self.column.is_null(self.row) {
            // what takes any value takes none as well
            let refused = |_: RowError| RowError { column: None, problem: Problem::Null };
            return visitor.visit_unit().map_err(refused);
        }
        match &self.column.values {
            Values::Booleans(values) => visitor.visit_bool(values[self.row]),
            Values::Integers(values) => visitor.visit_i64(values[self.row]),
            Values::Unsigned(values) => visitor.visit_u64(values[self.row]),
            Values::Floats(values) => visitor.visit_f64(values[self.row]),
            Values::Text(values) => visitor.visit_str(&values[self.row]),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        if self.column.is_null(self.row) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        match &self.column.values {
            Values::Text(values) if !self.column.is_null(self.row) => {
                visitor.visit_enum(values[self.row].as_str().into_deserializer())
            }
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
