//! Conversion to and from JSON that preserves infinities and NaN.
//!
//! JSON cannot represent infinities and NaN: [`serde_json::to_value`] writes `null` for them, which cannot be read back as a number.
//! [`to_value`] writes `{"$float": "inf"}` instead, and [`from_value`] reads it. Everything else is written as by `serde_json`.
//!
//! Checkpoints use these functions for hyperparameters and for the state of optimizers, schedulers and callbacks. Use them in your own
//! `state_dict` if a number may not be finite:
//!
//! ```
//! use tch_lightning::json;
//!
//! let state_dict = json::to_value(&[0.5, f64::INFINITY])?;
//! assert_eq!(state_dict.to_string(), r#"[0.5,{"$float":"inf"}]"#);
//! assert_eq!(json::from_value::<Vec<f64>>(&state_dict)?, [0.5, f64::INFINITY]);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod fill;
mod probe;
mod read;
mod show;
mod write;

pub(crate) use fill::{Filler, Path, Shape};
pub(crate) use probe::{Probe, ProbeError};
pub(crate) use read::{Parsed, mark_texts};
pub(crate) use show::Plain;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Result, Value};

/// The only key of a map that represents a number that is not finite. A user's map with only this key is escaped: it becomes the value
/// of another such map.
const FLOAT: &str = "$float";

/// Converts a value to JSON.
///
/// # Errors
/// If the value's `Serialize` fails, or if it has a map with keys that are neither strings nor numbers.
pub fn to_value(value: &(impl Serialize + ?Sized)) -> Result<Value> {
    match ciborium::Value::serialized(value) {
        Ok(everything) if write::needs_marks(&everything) => write::marked(everything),
        // the error then names the field
        Ok(everything) => serde_json::to_value(value).or_else(|_| write::marked(everything)),
        // fails here too, with an error about JSON instead of CBOR
        Err(_) => serde_json::to_value(value),
    }
}

/// Converts JSON to a value, whether [`to_value`] or another serializer wrote it.
///
/// # Errors
/// If the JSON does not match the type.
pub fn from_value<T: DeserializeOwned>(json: &Value) -> Result<T> {
    T::deserialize(read::Marked(json))
}

/// Parses the number in a mark.
fn number(text: &str) -> Result<f64> {
    text.parse().map_err(|_| serde_json::Error::custom(format!("`{text}` is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Unit,
        Newtype(f64),
        Tuple(f64, u8),
        Struct { rate: f32 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(f64),
        Text(String),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        rate: f64,
        single: f32,
        none: Option<f64>,
        some: Option<f64>,
        kinds: Vec<Kind>,
        either: Vec<Either>,
        by_number: BTreeMap<i32, f64>,
        large: u64,
        small: i64,
        text: String,
        json: Value,
    }

    fn everything(number: f64) -> Everything {
        Everything {
            rate: number,
            single: number as f32,
            none: None,
            some: Some(number),
            kinds: vec![
                Kind::Unit,
                Kind::Newtype(number),
                Kind::Tuple(number, 3),
                Kind::Struct { rate: number as f32 },
            ],
            either: vec![Either::Number(number), Either::Text("inf".to_owned())],
            by_number: BTreeMap::from([(-1, number), (7, 0.1)]),
            large: u64::MAX,
            small: i64::MIN,
            text: "NaN".to_owned(),
            json: serde_json::json!({ "$float": "inf", "inner": { "$float": 3 }, "one": { "$float": "inf" } }),
        }
    }

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for number in [0.1, -0.0, f64::from(f32::MAX), f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
            let written = everything(number);
            let text = to_value(&written).unwrap().to_string();
            let read: Everything = from_value(&serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!(read, written, "{text}");
        }
        let read: Vec<f64> = from_value(&to_value(&[f64::NAN]).unwrap()).unwrap();
        assert!(read[0].is_nan());
    }

    #[test]
    fn finite_values_are_written_as_by_serde_json() {
        let mut value = everything(0.1);
        value.json = Value::Null;
        assert_eq!(to_value(&value).unwrap(), serde_json::to_value(&value).unwrap());
        assert_eq!(from_value::<Option<f64>>(&Value::Null).unwrap(), None);
        assert_eq!(from_value::<f64>(&Value::Null).unwrap_err().to_string(), "invalid type: null, expected f64");
    }
}
