//! Serializes `f64` as a JSON number, and NaN and infinities as strings.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An `f64` that survives a round trip through JSON, NaN and infinities included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct JsonFloat(pub(crate) f64);

impl Serialize for JsonFloat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for JsonFloat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number, or `inf`, `-inf` or `NaN` as text")]
enum Written {
    Number(f64),
    Text(String),
}

pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.collect_str(value) }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::JsonFloat;

    #[test]
    fn floats_survive_a_round_trip_through_json() {
        for number in [0.1, -0.0, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
            let text = serde_json::to_string(&JsonFloat(number)).unwrap();
            let JsonFloat(read) = serde_json::from_str(&text).unwrap();
            assert_eq!(read.to_bits(), number.to_bits(), "{text}");
        }
        let JsonFloat(read) = serde_json::from_str("\"NaN\"").unwrap();
        assert!(read.is_nan());
    }
}
