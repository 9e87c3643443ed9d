//! Deserializes a type from JSON to find out what it requires: its error says which field is missing, or which names are known.

use super::number;
use super::read::mark;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, Visitor};
use serde_json::Value;
use std::fmt;

/// The reason why a type cannot be deserialized.
#[derive(Debug)]
pub(crate) enum ProbeError {
    /// A required field is missing.
    Missing(&'static str),
    /// A field is present under two of its names. This is the first of them.
    Twice(&'static str),
    /// The variant is not one of these.
    NotAVariant(&'static [&'static str]),
    /// The field is not one of these.
    NotAField(&'static [&'static str]),
    Other,
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for ProbeError {}

impl Error for ProbeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::NotAVariant(known)
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::NotAField(known)
    }
}

/// A deserializer of JSON with marks, whose errors can be told apart.
#[derive(Clone, Copy)]
pub(crate) struct Probe<'a>(pub(crate) &'a Value);

impl<'de> IntoDeserializer<'de, ProbeError> for Probe<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Probe<'de> {
    type Error = ProbeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => number.deserialize_any(visitor).map_err(ProbeError::custom),
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Probe))),
            Value::Object(map) => match mark(map) {
                Some(Value::String(text)) => visitor.visit_f64(number(text).map_err(ProbeError::custom)?),
                _ => {
                    visitor.visit_map(MapDeserializer::new(map.iter().map(|(key, value)| (key.as_str(), Probe(value)))))
                }
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ProbeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| (key.as_str(), Probe(value)));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(entries)))
            }
            _ => Err(ProbeError::Other),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
