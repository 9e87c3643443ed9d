//! The values of fields: of files and of flags, with those of choices within them.

use super::choices::{Field, Variant, listed};
use super::written::Written;
use super::{ChoiceFlags, Choices};
use crate::json;
use crate::misspelling::nearest;
use crate::yaml::{self, in_one_line, shown};
use serde_json::Value;

impl Choices {
    /// Returns the value of a field with the names of serde, or its mistakes, each of which begins with `path`.
    pub(super) fn read(
        &self,
        variant: &Variant,
        field: &Field,
        path: &str,
        value: &Value,
    ) -> Result<Value, Vec<String>> {
        let is_nested = value.is_object() || value.is_array() || value.is_string();
        if is_nested
            && self.check(variant, field, path, value).is_err()
            && let Some((choices, is_list)) = self.within(&variant.example, &field.name)
        {
            let value = choices.nested(path, value, is_list)?;
            return self.check(variant, field, path, &value).map(|()| value).map_err(|mistake| vec![mistake]);
        }
        self.check(variant, field, path, value).map(|()| value.clone()).map_err(|mistake| vec![mistake])
    }

    /// Returns the value of a field of these choices, or a list of them.
    fn nested(&self, path: &str, value: &Value, is_list: bool) -> Result<Value, Vec<String>> {
        let one = |path: &str, value: &Value| {
            let (table, mut mistakes) = self.sort_out_item(path, value);
            let value = Value::Object(table);
            if mistakes.is_empty() {
                mistakes.extend(self.check_complete(&ChoiceFlags::none(path), &value).err());
            }
            if mistakes.is_empty() { Ok(value) } else { Err(mistakes) }
        };
        match value {
            Value::Array(items) if is_list => {
                let items = items.iter().enumerate().map(|(index, item)| one(&format!("{path}.{index}"), item));
                let (values, wrong): (Vec<_>, Vec<_>) = items.partition(Result::is_ok);
                let mistakes: Vec<String> = wrong.into_iter().filter_map(Result::err).flatten().collect();
                let values = values.into_iter().filter_map(Result::ok).collect();
                if mistakes.is_empty() { Ok(Value::Array(values)) } else { Err(mistakes) }
            }
            value if is_list => Err(vec![format!("`{path}` must be a list, but it is {}", yaml::kind(value))]),
            value => one(path, value),
        }
    }

    /// Returns the value of a list's item, which must have a name.
    pub(crate) fn sort_out_item(&self, path: &str, value: &Value) -> (crate::yaml::Table, Vec<String>) {
        let has_field = |key: &str| self.variants.iter().any(|variant| variant.field(key).is_some());
        match Written::of(path, value, self.tag, has_field) {
            Ok(Written { name: None, is_class, .. }) => {
                let key = if is_class { "class_path" } else { self.tag };
                let mistake = format!("`{path}.{key}` is required: write {}", listed(self.names(), "or"));
                (crate::yaml::Table::new(), vec![mistake])
            }
            _ => self.sort_out(path, value),
        }
    }

    /// Checks the value of a field alone. The mistake begins with `path`.
    pub(super) fn check(&self, variant: &Variant, field: &Field, path: &str, value: &Value) -> Result<(), String> {
        let read = |value: Value| {
            let mut example = variant.example.clone();
            example.insert(field.name.clone(), value);
            self.source.read(&Value::Object(example))
        };
        if let Some(name) = value.as_str().filter(|name| !field.values.is_empty() && !field.values.contains(name)) {
            let name = shown(name);
            let write = match nearest(&name.to_lowercase(), field.values.iter().copied()) {
                Some(nearest) => format!("`{nearest}`"),
                None => listed(field.values.iter().copied(), "or"),
            };
            return Err(format!("`{path}`: `{name}` is unknown: write {write}"));
        }
        match read(value.clone()) {
            Ok(Some(mistake)) => match mistake.field.strip_prefix(&field.name) {
                Some("") => Err(format!("`{path}` {}", mistake.mistake)),
                Some(inner) if inner.starts_with('.') => Err(format!("`{path}{inner}` {}", mistake.mistake)),
                // another field is missing, or does not fit together with this one
                _ => Ok(()),
            },
            Ok(None) => Ok(()),
            Err(mistake) => match element(value, &|value| read(value).err()) {
                Some((index, mistake)) => Err(format!("`{path}.{index}`: {}", in_words(&mistake))),
                None => Err(format!("`{path}`: {}", in_words(&mistake))),
            },
        }
    }

    /// Returns the value of a flag: JSON, YAML on one line, a number, a text or a list, whichever the field accepts first. The mistake
    /// begins with the name of the flag.
    pub(crate) fn read_flag(&self, variant: &Variant, field: &Field, flag: &str, text: &str) -> Result<Value, String> {
        let number = |text: &str| {
            let number: f64 = text.parse().or_else(|_| text.trim_start_matches('.').parse()).ok()?;
            json::to_value(&number).ok()
        };
        let scalar = |text: &str| serde_json::from_str(text).ok().or_else(|| number(text));
        let is_inline = text.starts_with(['[', '{']);
        let inline = || is_inline.then(|| yaml::parse_inline("value", text).ok()).flatten();
        let list = || {
            let items = text.trim_matches(['[', ']']).split(',').map(|item| {
                let item = item.trim();
                scalar(item).unwrap_or_else(|| item.into())
            });
            Value::Array(items.collect())
        };
        let forms = [scalar(text), inline(), Some(text.into()), (!text.starts_with('{')).then(list)];
        let mut mistakes = Vec::new();
        for form in forms.into_iter().flatten() {
            match self.read(variant, field, &field.name, &form) {
                Ok(value) => return Ok(value),
                Err(wrong) => mistakes.push((form, wrong)),
            }
        }
        // the mistake of the form that was meant
        let expects_list =
            || mistakes.iter().flat_map(|(_, wrong)| wrong).any(|wrong| wrong.contains("expected a list"));
        let is_list = text.contains(',') || is_inline || expects_list();
        let meant = mistakes.iter().find(|(form, _)| is_list && (form.is_array() || form.is_object()));
        let wrong = meant.or(mistakes.first()).map(|(_, wrong)| wrong.join("; ")).unwrap_or_default();
        let head = format!("`{}`", field.name);
        Err(match wrong.strip_prefix(&head) {
            Some(rest) => format!("`{flag}`{rest}"),
            None => format!("`{flag}`: {wrong}"),
        })
    }
}

/// Returns the first element of a list that cannot be in it, with its index: a list with this element alone is invalid, but with another
/// one is not.
fn element(list: &Value, mistake_of: &dyn Fn(Value) -> Option<String>) -> Option<(usize, String)> {
    let items = list.as_array()?;
    let mistakes = items.iter().map(|item| mistake_of(Value::Array(vec![item.clone(); items.len()])));
    let mistakes: Vec<Option<String>> = mistakes.collect();
    mistakes.iter().any(Option::is_none).then_some(())?;
    mistakes.into_iter().enumerate().find_map(|(index, mistake)| Some((index, mistake?)))
}

/// Returns an error of serde without the names of Rust's types.
fn in_words(mistake: &str) -> String {
    const WORDS: [(&str, &str); 11] = [
        ("type: sequence", "type: list"),
        ("type: map", "type: table"),
        ("expected f64", "expected a number"),
        ("expected f32", "expected a number"),
        ("expected usize", "expected a whole number of 0 or more"),
        ("expected u64", "expected a whole number of 0 or more"),
        ("expected u32", "expected a whole number of 0 or more"),
        ("expected i64", "expected a whole number"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
        ("floating point", "number"),
    ];
    let mistake = in_one_line(mistake);
    WORDS.iter().fold(mistake, |mistake, (name, words)| mistake.replace(name, words))
}
