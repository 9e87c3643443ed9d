//! Converts values to JSON in which infinities and NaN are marked.

use super::FLOAT;
use serde::ser::Error as _;
use serde_json::{Error, Map, Number, Result, Value};

/// Returns whether a value contains an infinity, a NaN, or a map that looks like a mark.
pub(super) fn needs_marks(value: &ciborium::Value) -> bool {
    match value {
        ciborium::Value::Float(number) => !number.is_finite(),
        ciborium::Value::Array(items) => items.iter().any(needs_marks),
        ciborium::Value::Map(entries) => is_like_a_mark(entries) || entries.iter().any(|(_, value)| needs_marks(value)),
        ciborium::Value::Tag(_, inner) => needs_marks(inner),
        _ => false,
    }
}

fn is_like_a_mark(entries: &[(ciborium::Value, ciborium::Value)]) -> bool {
    matches!(entries, [(ciborium::Value::Text(key), _)] if key == FLOAT)
}

/// Converts a value to JSON with marks.
pub(super) fn marked(value: ciborium::Value) -> Result<Value> {
    Ok(match value {
        ciborium::Value::Null => Value::Null,
        ciborium::Value::Bool(value) => Value::Bool(value),
        ciborium::Value::Integer(number) => Value::Number(integer(number.into())?),
        ciborium::Value::Float(number) => Number::from_f64(number).map_or_else(
            || Value::Object(Map::from_iter([(FLOAT.to_owned(), number.to_string().into())])),
            Value::Number,
        ),
        ciborium::Value::Text(text) => Value::String(text),
        ciborium::Value::Bytes(bytes) => Value::from(bytes),
        ciborium::Value::Array(items) => Value::Array(items.into_iter().map(marked).collect::<Result<_>>()?),
        ciborium::Value::Map(entries) => {
            let is_like_a_mark = is_like_a_mark(&entries);
            let entries = entries.into_iter().map(|(name, value)| {
                let name = key(name)?;
                let value = marked(value).map_err(|error| Error::custom(format!("`{name}`: {error}")))?;
                Ok((name, value))
            });
            let map = Value::Object(entries.collect::<Result<_>>()?);
            if is_like_a_mark { Value::Object(Map::from_iter([(FLOAT.to_owned(), map)])) } else { map }
        }
        // numbers of 128 bits
        ciborium::Value::Tag(2 | 3, _) => return Err(Error::custom("the number is too large for JSON")),
        other => return Err(Error::custom(format!("{other:?} cannot be written in JSON"))),
    })
}

fn integer(number: i128) -> Result<Number> {
    let unsigned = u64::try_from(number).map(Number::from).ok();
    let signed = || i64::try_from(number).map(Number::from).ok();
    unsigned.or_else(signed).ok_or_else(|| Error::custom(format!("the number {number} is too large for JSON")))
}

/// Converts a map's key to a string, as `serde_json` does.
fn key(key: ciborium::Value) -> Result<String> {
    match key {
        ciborium::Value::Text(text) => Ok(text),
        ciborium::Value::Integer(number) => Ok(i128::from(number).to_string()),
        ciborium::Value::Bool(value) => Ok(value.to_string()),
        ciborium::Value::Float(number) => Ok(number.to_string()),
        _ => Err(Error::custom("key must be a string")),
    }
}
