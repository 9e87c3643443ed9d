//! Merges the value of a choice from defaults, files and flags, and checks it.

use super::choices::{Variant, listed};
use super::flags::dashed;
use super::written::{Written, changes_nothing};
use super::{ChoiceFlags, Choices};
use crate::misspelling::{nearest, unknown_key};
use crate::yaml::{Table, in_one_line, shown};
use serde_json::Value;

/// The maximum number of keys that an error lists.
const MOST_KEYS: usize = 12;

impl Choices {
    /// Returns the valid part of a file's value, with the names of serde, and a mistake for each other part. Whether it is complete is
    /// not checked, as later files and flags may complete it.
    pub(crate) fn sort_out(&self, path: &str, value: &Value) -> (Table, Vec<String>) {
        let is_field = |key: &str| self.variants.iter().any(|variant| variant.field(key).is_some());
        let Written { name, fields, is_class } = match Written::of(path, value, self.tag, is_field) {
            Ok(written) => written,
            Err(mistake) => return (Table::new(), vec![mistake]),
        };
        let variant = match name.as_deref().map(|name| (name, self.variant(name))) {
            Some((name, None)) => return (Table::new(), vec![self.unknown(path, name)]),
            Some((_, variant)) => variant,
            None => None,
        };
        let (mut usable, mistakes) = self.sort_out_fields(path, variant, &fields, is_class);
        usable.extend(variant.map(|variant| (self.tag.to_owned(), variant.name.clone().into())));
        (usable, mistakes)
    }

    /// Returns the valid fields of a table, and a mistake for each other one. Without a variant, they are fields of any.
    pub(crate) fn sort_out_fields(
        &self,
        path: &str,
        variant: Option<&Variant>,
        fields: &Table,
        is_class: bool,
    ) -> (Table, Vec<String>) {
        let (mut usable, mut mistakes) = (Table::new(), Vec::new());
        for (key, value) in fields {
            let field = match variant {
                Some(variant) => variant.field(key),
                None => self.variants.iter().find_map(|variant| variant.field(key)),
            };
            match (field, variant) {
                (Some(field), None) => drop(usable.insert(field.name.clone(), value.clone())),
                (Some(field), Some(variant)) => {
                    match self.read(variant, field, &format!("{path}.{}", field.name), value) {
                        Ok(value) => drop(usable.insert(field.name.clone(), value)),
                        Err(wrong) => mistakes.extend(wrong),
                    }
                }
                // PyTorch's arguments that choose between implementations, such as `foreach: null`
                (None, _) if is_class && changes_nothing(value) => {}
                (None, variant) => mistakes.push(self.foreign(&format!("{path}.{}", shown(key)), key, variant)),
            }
        }
        (usable, mistakes)
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
        self.check_complete(flags, &value)?;
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
            table.insert(field.name.clone(), self.read_flag(variant, field, &flag, text)?);
        }
        Ok(self.merged(base, &table))
    }

    /// Checks a merged value, in which `flags` have replaced fields.
    ///
    /// # Errors
    /// If a required field is missing, if a field belongs to another variant, or if a value is out of range.
    pub(crate) fn check_complete(&self, flags: &ChoiceFlags, value: &Value) -> Result<(), String> {
        let Some(table) = value.as_object() else { return Ok(()) };
        let Some(name) = table.get(self.tag).and_then(Value::as_str) else {
            let names = listed(self.names(), "or");
            return Err(flags.sentence(value, self.tag, &format!("is required: write {names}")));
        };
        let variant = self.variant(name).ok_or_else(|| self.unknown(&flags.head(), name))?;
        let foreign = table.keys().find(|key| *key != self.tag && variant.field(key).is_none());
        if let Some(key) = foreign {
            return Err(self.foreign(&format!("{}.{}", flags.key, shown(key)), key, Some(variant)));
        }
        if let Some(field) = variant.missing(table) {
            return Err(flags.sentence(value, field, &format!("is required for {}", variant.name)));
        }
        match self.source.read(value) {
            Ok(None) => Ok(()),
            Ok(Some(mistake)) => Err(flags.sentence(value, &mistake.field, &mistake.mistake)),
            // a value of a file without a name, which was not checked before its variant was known
            Err(mistake) => {
                let fields = table.iter().filter_map(|(key, value)| Some((variant.field(key)?, value)));
                let wrong = fields.into_iter().find_map(|(field, value)| {
                    self.read(variant, field, &format!("{}.{}", flags.key, field.name), value).err()
                });
                Err(wrong.map_or_else(|| flags.sentence(value, "", &in_one_line(&mistake)), |wrong| wrong.join("; ")))
            }
        }
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
                fields.push(self.tag.to_owned());
                fields.sort();
                fields.dedup();
                let is_similar = nearest(key, fields.iter().map(String::as_str)).is_some();
                if is_similar || fields.len() <= MOST_KEYS {
                    return unknown_key(path, key, &fields);
                }
                let names = listed(self.names(), "or");
                format!("`{path}` is unknown: write `{}`, which is {names}, and its fields", self.tag)
            }
        }
    }
}
