//! Values of Python, as far as checkpoints have them.

use std::fmt::Write as _;
use tch::Tensor;

/// A value of Python.
#[derive(Debug)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    /// A dictionary, in the order of its entries.
    Dict(Vec<(Value, Value)>),
    Tensor(Tensor),
    /// An object of any other class, by the name of the class.
    Object(String),
}

impl Value {
    /// Returns an entry of a dictionary.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().find_map(|(known, value)| matches!(known, Self::Text(text) if text == key).then_some(value))
    }

    /// Returns the value at a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The entries of a dictionary; none of any other value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Self, &Self)> {
        let entries = if let Self::Dict(entries) = self { entries.as_slice() } else { &[] };
        entries.iter().map(|(key, value)| (key, value))
    }

    /// The entries of a dictionary whose keys are texts.
    pub(super) fn named_entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.entries().filter_map(|(key, value)| Some((key.text()?, value)))
    }

    /// The elements of a list or tuple; none of any other value.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) | Self::Tuple(items) = self { items } else { &[] }
    }

    /// The elements of the list under this key, or an empty slice if it is not a list.
    pub(super) fn items_of(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn tensor(&self) -> Option<&Tensor> {
        if let Self::Tensor(tensor) = self { Some(tensor) } else { None }
    }

    /// Returns a count.
    pub(super) fn count(&self) -> Option<usize> {
        if let Self::Int(number) = self { usize::try_from(*number).ok() } else { None }
    }

    /// Returns a number, also one in a tensor.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Tensor(tensor) if tensor.numel() == 1 => f64::try_from(tensor).ok(),
            _ => None,
        }
    }

    /// Returns the value as JSON, with tensors of one number as this number; `None` if JSON cannot represent it.
    pub(super) fn to_json(&self) -> Option<serde_json::Value> {
        use serde_json::Value as Json;
        Some(match self {
            Self::None => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(number) => (*number).into(),
            // infinity and NaN as the rest of a checkpoint has them
            Self::Float(_) | Self::Tensor(_) => {
                crate::json::to_value(&crate::json_float::JsonFloat(self.number()?)).ok()?
            }
            Self::Text(text) => text.as_str().into(),
            Self::List(items) | Self::Tuple(items) => {
                items.iter().map(Self::to_json).collect::<Option<Vec<_>>>()?.into()
            }
            Self::Dict(entries) => {
                let entries = entries.iter().map(|(key, value)| Some((key.text()?.to_owned(), value.to_json()?)));
                Json::Object(entries.collect::<Option<_>>()?)
            }
            Self::Object(_) => return None,
        })
    }

    /// Returns the value of JSON.
    pub(crate) fn of_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::None,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Self::Int(number),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::of_json).collect()),
            Json::Object(map) => dict(map.iter().map(|(name, value)| (name.as_str(), Self::of_json(value)))),
        }
    }
}

/// Returns a dictionary.
pub(crate) fn dict<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Dict(entries.into_iter().map(|(name, value)| (Value::Text(name.to_owned()), value)).collect())
}

/// Returns a text as Python writes it in its source.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => _ = write!(quoted, "\\{character}"),
            _ => quoted.push(character),
        }
    }
    quoted + "'"
}
