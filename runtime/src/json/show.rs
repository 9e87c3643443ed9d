//! Serializes marked JSON in a format that has infinities and NaN, such as YAML.

use super::{FLOAT, number};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// JSON whose marks are serialized as numbers.
pub(crate) struct Plain<'a>(pub(crate) &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(map) => match map.get(FLOAT).filter(|_| map.len() == 1) {
                Some(Value::String(text)) => serializer.serialize_f64(number(text).map_err(S::Error::custom)?),
                Some(Value::Object(map)) => serializer.collect_map(map.iter().map(|(key, value)| (key, Plain(value)))),
                _ => serializer.collect_map(map.iter().map(|(key, value)| (key, Plain(value)))),
            },
            other => other.serialize(serializer),
        }
    }
}
