//! Nested hyperparameters under one name each.

use serde_json::Value;

/// Returns the hyperparameters, with the names of nested ones joined by `/` as Lightning joins them: `model/lr`.
pub(super) fn flattened(values: &Value) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    flatten("", values, &mut all);
    all
}

fn flatten<'a>(name: &str, value: &'a Value, all: &mut Vec<(String, &'a Value)>) {
    let Value::Object(fields) = value else {
        return all.push((name.to_owned(), value));
    };
    for (field, value) in fields {
        let name = if name.is_empty() { field.clone() } else { format!("{name}/{field}") };
        flatten(&name, value, all);
    }
}
