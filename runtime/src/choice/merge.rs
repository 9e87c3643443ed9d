//! Merges the value of a choice from defaults, files and flags, and checks it.

use super::choices::{Field, Variant, listed};
use super::flags::dashed;
use super::{ChoiceFlags, Choices};
use crate::json;
use crate::misspelling::{nearest, unknown_key};
use crate::yaml::{Table, in_one_line, kind, shown};
use serde_json::Value;

const CLASS_PATH: &str = "class_path";
const OF_CLASS: [&str; 3] = [CLASS_PATH, "init_args", "dict_kwargs"];

impl Choices {
    /// Returns the valid part of a file's value, with the names of serde, and a mistake for each other part. Whether it is complete is
    /// not checked, as later files and flags may complete it.
    pub(crate) fn sort_out(&self, path: &str, value: &Value) -> (Table, Vec<String>) {
        let (name, fields, is_class) = match value {
            Value::String(name) => (Some(name.clone()), Table::new(), false),
            Value::Object(table) => match self.split(path, table) {
                Ok(parts) => parts,
                Err(mistake) => return (Table::new(), vec![mistake]),
            },
            other => {
                let tag = self.tag;
                let mistake =
                    format!("`{path}` must be a name, or a table with the key `{tag}`, but it is {}", kind(other));
                return (Table::new(), vec![mistake]);
            }
        };
        let (mut usable, mut mistakes) = (Table::new(), Vec::new());
        let variant = match name.as_deref().map(|name| (name, self.variant(name))) {
            Some((name, None)) => return (usable, vec![self.unknown(path, name)]),
            Some((_, Some(variant))) => {
                usable.insert(self.tag.to_owned(), variant.name.clone().into());
                Some(variant)
            }
            None => None,
        };
        for (key, value) in fields {
            let field = match variant {
                Some(variant) => variant.field(&key),
                None => self.variants.iter().find_map(|variant| variant.field(&key)),
            };
            match (field, variant) {
                (Some(field), variant) => match variant.map_or(Ok(()), |variant| self.check(variant, field, &value)) {
                    Ok(()) => drop(usable.insert(field.name.clone(), value)),
                    Err(mistake) => mistakes.push(format!("`{path}.{}`: {}", field.name, in_one_line(&mistake))),
                },
                // PyTorch's arguments that choose between implementations, such as `foreach: null`
                (None, _) if is_class && changes_nothing(&value) => {}
                (None, variant) => mistakes.push(self.foreign(&format!("{path}.{}", shown(&key)), &key, variant)),
            }
        }
        (usable, mistakes)
    }

    /// Splits a table into the name of a variant and its fields. Returns whether it has the form of Lightning's CLI.
    fn split(&self, path: &str, table: &Table) -> Result<(Option<String>, Table, bool), String> {
        let text = |key: &str| match table.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(name)) => Ok(Some(name.clone())),
            Some(other) => Err(format!("`{path}.{key}` must be a name, but it is {}", kind(other))),
        };
        if table.keys().all(|key| OF_CLASS.contains(&key.as_str())) && table.contains_key(CLASS_PATH) {
            let arguments = OF_CLASS[1..].iter().filter_map(|key| table.get(*key)?.as_object());
            return Ok((
                text(CLASS_PATH)?,
                arguments.flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
                true,
            ));
        }
        let fields = table.iter().filter(|(key, _)| *key != self.tag);
        Ok((text(self.tag)?, fields.map(|(key, value)| (key.clone(), value.clone())).collect(), false))
    }

    /// Returns the value of a text: the name of a variant, or a table in JSON. Required fields of a name have placeholders. Without a text
    /// it is the first variant.
    pub(crate) fn value_of_text(&self, text: Option<&str>) -> Option<Value> {
        let Some(text) = text else { return Some(Value::Object(self.variants.first()?.example.clone())) };
        let (table, _) = self.sort_out("", &serde_json::from_str(text).unwrap_or_else(|_| text.into()));
        let variant = self.variant(table.get(self.tag)?.as_str()?)?;
        Some(self.merged(&Value::Object(variant.example.clone()), &table))
    }

    /// Returns a value with a table of `sort_out` in place of its own fields. A table with another name replaces the value.
    pub(crate) fn merged(&self, base: &Value, table: &Table) -> Value {
        let before = base.get(self.tag).filter(|name| table.get(self.tag).is_some_and(|new| new != *name));
        let mut merged = base.as_object().filter(|_| before.is_none()).cloned().unwrap_or_default();
        merged.extend(table.iter().map(|(key, value)| (key.clone(), value.clone())));
        Value::Object(merged)
    }

    /// Returns a complete value with the flags in place of its own fields; `None` if no variant is chosen.
    ///
    /// # Errors
    /// A flag of another variant, or with an invalid value; a required field that is missing, or one of another variant.
    pub(crate) fn complete(&self, base: &Value, flags: &ChoiceFlags) -> Result<Option<Value>, String> {
        let value = self.with_flags(base, flags)?;
        if value.is_null() {
            return Ok(None);
        }
        self.check_complete(&flags.long, &value)?;
        Ok(Some(value))
    }

    /// Returns a value with the flags in place of its own fields.
    fn with_flags(&self, base: &Value, flags: &ChoiceFlags) -> Result<Value, String> {
        let head = &flags.long;
        let name = flags.name.as_deref().or_else(|| base.get(self.tag)?.as_str());
        let Some(name) = name else {
            return match flags.fields.first() {
                Some((field, _)) => {
                    Err(format!("`--{head}.{}` requires `--{head}`: {}", dashed(field), listed(self.names(), "or")))
                }
                None => Ok(base.clone()),
            };
        };
        let variant = self.variant(name).ok_or_else(|| self.unknown(&format!("--{head}"), name))?;
        let mut table = Table::from_iter([(self.tag.to_owned(), variant.name.clone().into())]);
        for (written, text) in &flags.fields {
            let flag = format!("--{head}.{}", dashed(written));
            let field = variant.field(written).ok_or_else(|| self.foreign(&flag, written, Some(variant)))?;
            let value = self.read_text(variant, field, text);
            let value = value.map_err(|mistake| format!("`{flag}`: {}", in_one_line(&mistake)))?;
            table.insert(field.name.clone(), value);
        }
        Ok(self.merged(base, &table))
    }

    /// Checks a merged value.
    ///
    /// # Errors
    /// If a required field is missing, or if a field belongs to another variant.
    pub(crate) fn check_complete(&self, head: &str, value: &Value) -> Result<(), String> {
        let Some(table) = value.as_object() else { return Ok(()) };
        let Some(name) = table.get(self.tag).and_then(Value::as_str) else {
            return Err(format!("`--{head}` is required: {}", listed(self.names(), "or")));
        };
        let variant = self.variant(name).ok_or_else(|| self.unknown(head, name))?;
        let foreign = table.keys().find(|key| *key != self.tag && variant.field(key).is_none());
        if let Some(key) = foreign {
            return Err(self.foreign(&format!("{head}.{}", shown(key)), key, Some(variant)));
        }
        let missing = variant.fields.iter().find(|field| field.default.is_none() && !table.contains_key(&field.name));
        if let Some(field) = missing {
            return Err(format!("`--{head}.{}` is required for {}", dashed(&field.name), variant.name));
        }
        (self.fits)(value).map_err(|mistake| format!("invalid `{head}`: {}", in_one_line(&mistake)))
    }

    /// Returns the mistake for a name that is not a variant.
    pub(super) fn unknown(&self, path: &str, name: &str) -> String {
        let name = shown(name);
        match nearest(&name.to_lowercase(), self.names()) {
            Some(nearest) => format!("`{path}`: `{name}` is unknown: write `{nearest}`"),
            None => format!("`{path}`: `{name}` is unknown: write {}", listed(self.names(), "or")),
        }
    }

    /// Returns the mistake for a field that the variant does not have.
    fn foreign(&self, path: &str, key: &str, variant: Option<&Variant>) -> String {
        let owners = self.owners_of(key);
        match variant {
            Some(variant) if !owners.is_empty() => {
                format!("`{path}` is a field of {owners}, not of {}", variant.name)
            }
            Some(variant) => {
                let fields: Vec<String> = variant.fields.iter().map(|field| field.name.clone()).collect();
                unknown_key(path, key, &fields)
            }
            None => {
                let fields = self.variants.iter().flat_map(|variant| &variant.fields).map(|field| field.name.clone());
                let mut fields: Vec<String> = fields.collect();
                fields.sort();
                fields.dedup();
                unknown_key(path, key, &fields)
            }
        }
    }

    /// Checks the value of a field alone.
    fn check(&self, variant: &Variant, field: &Field, value: &Value) -> Result<(), String> {
        let mut example = variant.example.clone();
        example.insert(field.name.clone(), value.clone());
        (self.fits)(&Value::Object(example))
    }

    /// Returns the value of a flag: JSON, a number, a text or a list, whichever the field accepts first.
    fn read_text(&self, variant: &Variant, field: &Field, text: &str) -> Result<Value, String> {
        let number = |text: &str| {
            let number: f64 = text.parse().or_else(|_| text.trim_start_matches('.').parse()).ok()?;
            json::to_value(&number).ok()
        };
        let scalar = |text: &str| serde_json::from_str(text).ok().or_else(|| number(text));
        let items = text.trim_matches(['[', ']']).split(',').map(|item| {
            let item = item.trim();
            scalar(item).unwrap_or_else(|| item.into())
        });
        let forms = [scalar(text), Some(text.into()), Some(Value::Array(items.collect()))];
        let mut mistake = None;
        for form in forms.into_iter().flatten() {
            match self.check(variant, field, &form) {
                Ok(()) => return Ok(form),
                Err(error) => drop(mistake.get_or_insert(error)),
            }
        }
        Err(mistake.unwrap_or_default())
    }
}

/// Whether the value of an argument of Python is one that means nothing.
fn changes_nothing(value: &Value) -> bool {
    value.is_null() || *value == Value::Bool(false) || *value == -1 || *value == "deprecated"
}
