//! The forms in which files have a choice.

use crate::yaml::{Table, kind, shown};
use serde_json::Value;

const CLASS_PATH: &str = "class_path";
const OF_CLASS: [&str; 3] = [CLASS_PATH, "init_args", "dict_kwargs"];

/// A choice as a file has it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Written {
    /// The name of the variant, as written.
    pub(crate) name: Option<String>,
    pub(crate) fields: Table,
    /// Whether it has the form of Lightning's CLI.
    pub(crate) is_class: bool,
}

impl Written {
    /// Splits a value: `name`, `{tag: name, field: …}`, `{name: {field: …}}` or `{class_path: name, init_args: {field: …}}`.
    ///
    /// # Errors
    /// A mistake for a value of another form, which begins with `path`.
    pub(crate) fn of(path: &str, value: &Value, tag: &str, is_field: impl Fn(&str) -> bool) -> Result<Self, String> {
        let table = match value {
            Value::String(name) => return Ok(Self { name: Some(name.clone()), ..Self::default() }),
            Value::Object(table) => table,
            other => {
                let kind = kind(other);
                return Err(format!("`{path}` must be a name, or a table with the key `{tag}`, but it is {kind}"));
            }
        };
        if table.contains_key(CLASS_PATH) {
            return Self::of_class(path, table, tag);
        }
        if let Some((name, fields)) = only(table).filter(|(key, _)| *key != tag && !is_field(key)) {
            match fields {
                Value::Object(fields) => return Ok(Self::named(name, fields)),
                Value::Null => return Ok(Self::named(name, &Table::new())),
                _ => {}
            }
        }
        let fields = table.iter().filter(|(key, _)| *key != tag).map(|(key, value)| (key.clone(), value.clone()));
        Ok(Self { name: text(path, table, tag)?, fields: fields.collect(), is_class: false })
    }

    fn named(name: &str, fields: &Table) -> Self {
        Self { name: Some(name.to_owned()), fields: fields.clone(), is_class: false }
    }

    fn of_class(path: &str, table: &Table, tag: &str) -> Result<Self, String> {
        if table.contains_key(tag) {
            return Err(format!("`{path}` has both `{tag}` and `{CLASS_PATH}`: remove one of them"));
        }
        if let Some(key) = table.keys().find(|key| !OF_CLASS.contains(&key.as_str())) {
            let key = shown(key);
            return Err(format!("`{path}.{key}` is next to `{CLASS_PATH}`: move it into `init_args`"));
        }
        let mut fields = Table::new();
        for key in &OF_CLASS[1..] {
            match table.get(*key) {
                None | Some(Value::Null) => {}
                Some(Value::Object(arguments)) => {
                    fields.extend(arguments.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                Some(other) => {
                    return Err(format!(
                        "`{path}.{key}` must be a table of keys and values, but it is {}",
                        kind(other)
                    ));
                }
            }
        }
        Ok(Self { name: text(path, table, CLASS_PATH)?, fields, is_class: true })
    }
}

/// Returns the entry of a table with one entry.
fn only(table: &Table) -> Option<(&String, &Value)> {
    table.iter().next().filter(|_| table.len() == 1)
}

fn text(path: &str, table: &Table, key: &str) -> Result<Option<String>, String> {
    match table.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.clone())),
        Some(other) => Err(format!("`{path}.{key}` must be a name, but it is {}", kind(other))),
    }
}

/// Whether the value of an argument of Python is one that means nothing, such as `foreach: null`.
pub(super) fn changes_nothing(value: &Value) -> bool {
    value.is_null() || *value == Value::Bool(false) || *value == -1 || *value == "deprecated"
}
