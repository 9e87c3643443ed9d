//! The variants of a choice in the help of its flag.

use super::Choices;
use super::choices::{Field, Variant};
use super::flags::dashed;
use serde_json::Value;

/// Returns the lines about the variants in the help. Fields that are documented have a line each; those that all variants have are listed
/// once.
pub(super) fn lines_of_help(long: &str, choices: &Choices) -> String {
    let is_documented = |variant: &Variant| variant.fields.iter().any(|field| !field.about.is_empty());
    let is_shared = |field: &Field| {
        let shared = |variant: &Variant| variant.field(&field.name).is_some_and(|other| other.default == field.default);
        field.about.is_empty() && choices.variants.len() > 1 && choices.variants.iter().all(shared)
    };
    let in_one_line = |fields: &mut dyn Iterator<Item = &Field>| {
        let fields: Vec<String> = fields.map(|field| format!("{}{}", field.name, default(field))).collect();
        fields.join(", ")
    };
    let of_variant = |variant: &Variant| {
        let about = if variant.about.is_empty() { String::new() } else { format!(": {}", variant.about) };
        let mut own = variant.fields.iter().filter(|field| !is_shared(field));
        if is_documented(variant) {
            let line =
                |field: &Field| format!("\n    --{long}.{}  {}{}", dashed(&field.name), field.about, default(field));
            return format!("\n- {}{about}{}", variant.name, own.map(line).collect::<String>());
        }
        let fields = in_one_line(&mut own);
        let separator = if fields.is_empty() || about.is_empty() { "" } else { ". " };
        let colon = if about.is_empty() && !fields.is_empty() { ": " } else { "" };
        format!("\n- {}{about}{separator}{colon}{fields}", variant.name)
    };
    let mut lines: String = choices.variants.iter().map(of_variant).collect();
    let shared = choices.variants.first().into_iter().flat_map(|variant| &variant.fields);
    let shared = in_one_line(&mut shared.filter(|field| is_shared(field)));
    if !shared.is_empty() {
        lines += &format!("\n- all of them: {shared}");
    }
    lines
}

/// Returns the default of a field for the help.
fn default(field: &Field) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let number = number.to_string();
            number.strip_suffix(".0").unwrap_or(&number).to_owned()
        }
        other => other.to_string(),
    };
    match &field.default {
        None => " (required)".to_owned(),
        Some(Value::Null) => String::new(),
        Some(Value::Array(items)) => format!(" [{}]", items.iter().map(text).collect::<Vec<_>>().join(",")),
        Some(value) => format!(" [{}]", text(value)),
    }
}
