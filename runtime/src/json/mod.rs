//! Values as JSON, with every number they have.
//!
//! JSON has no infinities and no NaN, and [`serde_json::to_value`] writes `null` for them, which no number is read from again.
//! [`to_value`] writes `{"$float": "inf"}` instead, and [`from_value`] reads it. Everything else is as `serde_json` has it.
//!
//! What checkpoints keep goes through these functions: hyperparameters, the state of optimizers, schedulers and callbacks. Use them
//! in a `state_dict` of your own where a number may not be finite:
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
mod read;
mod show;
mod write;

pub(crate) use fill::{Filler, Path, Shape};
pub(crate) use read::{Parsed, mark_texts};
pub(crate) use show::Plain;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Result, Value};

/// The only key of a map that stands for a number which is not finite. A map of the user's with this one key is the value of
/// another such map.
const FLOAT: &str = "$float";

/// Turns a value into JSON.
///
/// # Errors
/// If the value's own implementation fails, or it has maps whose keys are no texts or numbers.
pub fn to_value(value: &(impl Serialize + ?Sized)) -> Result<Value> {
    match ciborium::Value::serialized(value) {
        Ok(everything) if write::needs_marks(&everything) => write::marked(everything),
        // the reason then names the field
        Ok(everything) => serde_json::to_value(value).or_else(|_| write::marked(everything)),
        // what is not in that form fails here too, with a reason that speaks of JSON
        Err(_) => serde_json::to_value(value),
    }
}

/// Turns JSON that [`to_value`] has made, or any other, into a value.
///
/// # Errors
/// If it is that of another type.
pub fn from_value<T: DeserializeOwned>(json: &Value) -> Result<T> {
    if read::has_marks(json) { T::deserialize(read::Marked(json)) } else { serde_json::from_value(json.clone()) }
}

/// The number that a mark stands for.
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
    fn every_number_is_read_as_it_was() {
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
    fn what_is_finite_is_as_serde_json_has_it() {
        let mut value = everything(0.1);
        value.json = Value::Null;
        assert_eq!(to_value(&value).unwrap(), serde_json::to_value(&value).unwrap());
        assert_eq!(from_value::<Option<f64>>(&Value::Null).unwrap(), None);
        assert_eq!(from_value::<f64>(&Value::Null).unwrap_err().to_string(), "invalid type: null, expected f64");
    }
}
