//! Keys of configurations: unknown ones, misspelled ones, and values of the wrong type.

use super::lightning_keys::{LightningKey, lightning_key};
use crate::misspelling::unknown_key;
use crate::yaml::{Table, in_one_line, shown};
use serde_json::Value;

/// Joins mistakes into one sentence: the first ones, and the number of the others.
pub(crate) fn listed(mistakes: &[String]) -> String {
    const MOST: usize = 10;
    const LONGEST: usize = 2_000;
    let mut length = 0;
    let fits = |mistake: &&String| {
        length += mistake.len();
        length <= LONGEST
    };
    let few = mistakes.iter().take(MOST).take_while(fits).count().max(1).min(mistakes.len());
    let left = mistakes.len() - few;
    let more = (left > 0).then(|| format!("and {left} more {}", if left == 1 { "mistake" } else { "mistakes" }));
    mistakes[..few].iter().cloned().chain(more).collect::<Vec<_>>().join("; ")
}

/// Splits a section of a configuration into valid values and mistakes. `base` has a value for each key; `is_valid` checks it with
/// one of them replaced.
pub(crate) fn sort_out(
    section: Option<&str>,
    table: &Table,
    known_keys: &[String],
    base: &Value,
    is_valid: &dyn Fn(Value) -> Result<(), String>,
) -> (Table, Vec<String>) {
    let (mut usable, mut mistakes) = (Table::new(), Vec::new());
    for (key, value) in table {
        let path = section.map_or_else(|| shown(key), |section| format!("{section}.{}", shown(key)));
        match lightning_key(key, value) {
            Some(LightningKey::Ignored) => continue,
            Some(LightningKey::Unsupported(instead)) => {
                mistakes.push(format!("`{path}` is not supported: {instead}"));
                continue;
            }
            None => {}
        }
        if !known_keys.contains(key) {
            mistakes.push(unknown_key(&path, key, known_keys));
            continue;
        }
        let one = Table::from_iter([(key.clone(), value.clone())]);
        match is_valid(overlay(base, &one)) {
            Ok(()) => drop(usable.insert(key.clone(), value.clone())),
            // as in Lightning, null stands for the default
            Err(_) if value.is_null() => {}
            Err(error) => mistakes.push(format!("`{path}`: {}", in_one_line(&error))),
        }
    }
    (usable, mistakes)
}

/// Returns the keys of a table.
pub(crate) fn keys(table: &Value) -> Vec<String> {
    table.as_object().into_iter().flat_map(Table::keys).cloned().collect()
}

/// Returns a table with the values of another one replacing its own.
pub(crate) fn overlay(base: &Value, table: &Table) -> Value {
    let mut overlaid = base.as_object().cloned().unwrap_or_default();
    overlaid.extend(table.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(overlaid)
}
