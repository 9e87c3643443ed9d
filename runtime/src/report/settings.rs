//! The hyperparameters and the configuration of runs, and in which of them runs differ.

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

/// Values by the path of their names: `model.lr`.
pub(super) type Settings = IndexMap<String, Value>;

/// Adds nested values under one name each.
pub(super) fn add(settings: &mut Settings, path: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                add(settings, &path, value);
            }
        }
        value => {
            settings.insert(path.to_owned(), value.clone());
        }
    }
}

/// Returns the names of all settings, in the order of the first run that has them.
pub(super) fn names<'a>(runs: impl Iterator<Item = &'a Settings>) -> IndexSet<&'a str> {
    runs.flat_map(|settings| settings.keys().map(String::as_str)).collect()
}

/// Returns whether the runs do not all have the same value. A missing value differs from all others.
pub(super) fn differs<'a>(name: &str, runs: impl Iterator<Item = &'a Settings>) -> bool {
    let mut values = runs.map(|settings| settings.get(name));
    values.next().is_some_and(|first| values.any(|value| value != first))
}

/// Returns a value as text: a string without quotes.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(value: &Value) -> Settings {
        let mut settings = Settings::new();
        add(&mut settings, "", value);
        settings
    }

    #[test]
    fn settings_differ_where_values_do() {
        let runs = [
            settings(&json!({"model": {"lr": 0.1, "width": 8}, "data": {}})),
            settings(&json!({"model": {"lr": 0.2, "width": 8, "depth": 2}, "data": {}})),
        ];
        let names: Vec<&str> = names(runs.iter()).into_iter().collect();
        assert_eq!(names, ["model.lr", "model.width", "model.depth"]);
        let differing = names.iter().filter(|name| differs(name, runs.iter()));
        assert_eq!(differing.collect::<Vec<_>>(), [&"model.lr", &"model.depth"]);
    }
}
