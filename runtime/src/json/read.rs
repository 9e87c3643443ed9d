//! Deserializes values from JSON in which infinities and NaN are marked.

use super::{FLOAT, number, to_value};
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::{Error, Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Returns the content of a mark, if the map is one.
pub(super) fn mark(map: &Map<String, Value>) -> Option<&Value> {
    if map.len() == 1 { map.get(FLOAT) } else { None }
}

/// A deserializer of JSON with marks.
#[derive(Clone, Copy)]
pub(super) struct Marked<'a>(pub(super) &'a Value);

impl<'de> IntoDeserializer<'de, Error> for Marked<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn visit_map<'de, V: Visitor<'de>>(map: &'de Map<String, Value>, visitor: V) -> Result<V::Value, Error> {
    let mut entries = MapDeserializer::new(map.iter().map(|(key, value)| (Key(key), Marked(value))));
    let value = visitor.visit_map(&mut entries)?;
    entries.end()?;
    Ok(value)
}

impl<'de> Deserializer<'de> for Marked<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(Marked));
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Value::Object(map) => match mark(map) {
                Some(Value::String(text)) => visitor.visit_f64(number(text)?),
                Some(Value::Object(map)) => visit_map(map, visitor),
                _ => visit_map(map, visitor),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Null => visitor.visit_unit(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| (Key(key), Marked(value)));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(entries)))
            }
            other => other.deserialize_enum(name, variants, visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A deserializer of a map's key, which may be a number or a boolean.
struct Key<'a>(&'a str);

impl<'de> IntoDeserializer<'de, Error> for Key<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed_keys {
    ($($method:ident $visit:ident $number:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse::<$number>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(serde::de::Error::invalid_type(Unexpected::Str(self.0), &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    parsed_keys! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Prefix of a string in YAML that the parser would otherwise convert to a number.
const TEXT: char = '\u{e000}';

/// Returns whether a text is that of an infinity or NaN, with or without marks.
fn is_ambiguous(text: &str) -> bool {
    matches!(text.trim_start_matches(TEXT), ".inf" | "-.inf" | ".nan")
}

/// Marks the strings in YAML that look like infinities or NaN, as [`Parsed`] requires: the YAML parser does not distinguish `'.inf'`
/// from `.inf`.
pub(crate) fn mark_texts(yaml: &str) -> Cow<'_, str> {
    let events = granit_parser::Parser::new_from_str(yaml).map_while(Result::ok);
    let texts = events.filter_map(|(event, span)| match event {
        granit_parser::Event::Scalar(text, style, ..) if is_ambiguous(&text) => {
            let is_text = style != granit_parser::ScalarStyle::Plain || text.starts_with(TEXT);
            is_text.then_some(span.start.index())
        }
        _ => None,
    });
    let (mut marked, mut rest, mut done) = (String::new(), yaml, 0);
    for start in texts {
        let before = rest.char_indices().nth(start - done).map_or(rest.len(), |(byte, _)| byte);
        // the quote, or the indentation of a block
        let lead = |character: char| character.is_whitespace() || matches!(character, '\'' | '"');
        let inside = rest[before..].find(|character| !lead(character)).unwrap_or_default();
        let (before, after) = rest.split_at(before + inside);
        done += before.chars().count();
        marked.push_str(before);
        marked.push(TEXT);
        rest = after;
    }
    if done == 0 { Cow::Borrowed(yaml) } else { Cow::Owned(marked + rest) }
}

/// Returns a text without its mark.
fn unmarked(text: &str) -> &str {
    text.strip_prefix(TEXT).filter(|_| is_ambiguous(text)).unwrap_or(text)
}

/// JSON with marks, deserialized from a format that has infinities and NaN, such as YAML.
pub(crate) struct Parsed(pub(crate) Value);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parsing)
    }
}

struct Parsing;

impl<'de> Visitor<'de> for Parsing {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Parsed, E> {
        Ok(Parsed(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed, D::Error> {
        Parsed::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Parsed, E> {
        Ok(Parsed(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Parsed, E> {
        to_value(&value).map(Parsed).map_err(E::custom)
    }

    /// The YAML parser passes infinities and NaN as these texts if the type is not known.
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Parsed, E> {
        match value {
            ".inf" => self.visit_f64(f64::INFINITY),
            "-.inf" => self.visit_f64(f64::NEG_INFINITY),
            ".nan" => self.visit_f64(f64::NAN),
            text => Ok(Parsed(unmarked(text).into())),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Parsed, A::Error> {
        let mut values = Vec::new();
        while let Some(Parsed(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Parsed(Value::Array(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parsed, A::Error> {
        let mut map = Map::new();
        while let Some((key, Parsed(value))) = entries.next_entry::<String, _>()? {
            map.insert(unmarked(&key).to_owned(), value);
        }
        Ok(Parsed(Value::Object(map)))
    }
}
