//! Hyperparameters that have other values than in a checkpoint.

use crate::shown::shown;
use serde_json::Value;
use std::fmt;

/// A hyperparameter with another value than in a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedHyperparameter {
    /// Its name, which in a generated program is also that of its flag: `model.layers`.
    pub name: String,
    /// The value in the checkpoint.
    pub saved: Value,
    /// The current value.
    pub current: Value,
}

impl ChangedHyperparameter {
    /// Returns the hyperparameters that both have, with different values.
    pub(crate) fn all_of(saved: &Value, current: &Value) -> Vec<Self> {
        let mut changed = Vec::new();
        gather("", saved, current, &mut changed);
        changed
    }
}

fn gather(name: &str, saved: &Value, current: &Value, changed: &mut Vec<ChangedHyperparameter>) {
    if let (Value::Object(saved), Value::Object(current)) = (saved, current) {
        for (key, saved) in saved {
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            current.get(key).into_iter().for_each(|current| gather(&name, saved, current, changed));
        }
    } else if let (Value::Array(saved), Value::Array(current)) = (saved, current)
        && saved.len() == current.len()
        && saved.iter().chain(current).all(Value::is_object)
    {
        for (index, (saved, current)) in saved.iter().zip(current).enumerate() {
            gather(&format!("{name}.{index}"), saved, current, changed);
        }
    } else if saved != current {
        changed.push(ChangedHyperparameter { name: name.to_owned(), saved: saved.clone(), current: current.clone() });
    }
}

/// The maximum number of characters of a value in a message.
const LONGEST: usize = 60;

impl fmt::Display for ChangedHyperparameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, saved, current } = self;
        let (name, saved, current) =
            (shown(name, LONGEST), shown(&saved.to_string(), LONGEST), shown(&current.to_string(), LONGEST));
        write!(f, "`{name}` was {saved} in the checkpoint and is {current} now")
    }
}
