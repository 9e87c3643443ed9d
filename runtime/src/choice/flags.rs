//! The flags of a choice: one with the name of a variant, and one for each field of the variants.

use super::Choices;
use super::choices::{Field, Variant, listed};
use super::help::lines_of_help;
use crate::misspelling::nearest;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};
use serde_json::Value;
use std::ffi::OsStr;

/// The flags of a choice on a command line.
#[derive(Debug, Default, Clone)]
pub(crate) struct ChoiceFlags {
    /// The flag with the name of the variant, without dashes before it.
    pub(crate) long: String,
    /// The path of the choice in a configuration file.
    pub(crate) key: String,
    /// The name of the variant.
    pub(crate) name: Option<String>,
    /// The fields, with their values as written.
    pub(crate) fields: Vec<(String, String)>,
}

impl ChoiceFlags {
    /// Reads the flags of a choice, whose ids begin with `id` as `field_flags` makes them. `text` returns the value of a flag that is on
    /// the command line.
    pub(crate) fn read(long: &str, id: &str, choices: &Choices, text: impl Fn(&str) -> Option<String>) -> Self {
        let fields = fields(choices).filter_map(|(name, _)| Some((name.to_owned(), text(&format!("{id}.{name}"))?)));
        Self { long: long.to_owned(), key: id.to_owned(), name: text(id), fields: fields.collect() }
    }

    /// Returns no flags, for a choice of a file.
    pub(crate) fn none(key: impl Into<String>) -> Self {
        Self { key: key.into(), ..Self::default() }
    }

    /// Returns the choice as the user wrote it: `--optimizer` or `optimizer`.
    pub(super) fn head(&self) -> String {
        if self.name.is_some() { format!("--{}", self.long) } else { self.key.clone() }
    }

    /// Returns the sentence about a field of `value`, which names the flag if there is one, else the key of a file.
    pub(super) fn sentence(&self, value: &Value, path: &str, mistake: &str) -> String {
        let (field, inner) = path.split_once('.').map_or((path, None), |(field, inner)| (field, Some(inner)));
        let is_set = value.get(field).is_some_and(|value| !value.is_null());
        let is_flag = self.fields.iter().any(|(written, _)| dashed(written) == dashed(field));
        match inner {
            _ if field.is_empty() => format!("invalid `{}`: {mistake}", self.head()),
            _ if !is_flag && (is_set || self.is_empty()) => format!("`{}.{path}` {mistake}", self.key),
            None => format!("`--{}.{}` {mistake}", self.long, dashed(field)),
            Some(_) => format!("`--{}.{}`: `{path}` {mistake}", self.long, dashed(field)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_none() && self.fields.is_empty()
    }
}

/// Returns the name of each field once, with the field of each variant that has it.
fn fields(choices: &Choices) -> impl Iterator<Item = (&str, Vec<(&Variant, &Field)>)> {
    let mut fields: Vec<(&str, Vec<(&Variant, &Field)>)> = Vec::new();
    for (variant, field) in
        choices.variants.iter().flat_map(|variant| variant.fields.iter().map(move |field| (variant, field)))
    {
        match fields.iter_mut().find(|(name, _)| *name == field.name) {
            Some((_, owned)) => owned.push((variant, field)),
            None => fields.push((&field.name, vec![(variant, field)])),
        }
    }
    fields.into_iter()
}

/// Returns the flag with the name of a variant: `arg` with the variants as its values, and with their fields in its help.
pub(crate) fn name_flag(arg: Arg, choices: &'static Choices) -> Arg {
    let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let long = arg.get_long().unwrap_or_default().to_owned();
    let names: Vec<&str> = choices.names().collect();
    let summary = format!("{about} [possible values: {}]", names.join(", "));
    // the default may be a table, of which the flag has the name alone
    let name_of = |text: &OsStr| {
        let json: Option<Value> = serde_json::from_str(text.to_str()?).ok();
        Some(json?.get(choices.tag)?.as_str()?.to_owned())
    };
    let defaults = arg.get_default_values().iter().map(|text| match name_of(text) {
        Some(name) => name.into(),
        None => text.clone(),
    });
    let defaults: Vec<clap::builder::OsStr> = defaults.collect();
    let arg = arg.value_name("NAME").value_parser(NameParser(choices)).default_values(defaults);
    arg.hide_possible_values(true).help(summary).long_help(format!("{about}{}", lines_of_help(&long, choices)))
}

/// Returns a flag for each field of the variants, which the help of the variants lists. Their values are checked when the variant is
/// known.
pub(crate) fn field_flags(id: &str, long: &str, choices: &Choices) -> Vec<Arg> {
    let flags = fields(choices).map(|(name, owned)| {
        let is_bool = owned.iter().all(|(_, field)| matches!(field.default, Some(Value::Bool(_))));
        let values = owned.iter().map(|(_, field)| field.values);
        let mut values: Vec<&'static str> = if values.clone().all(|values| !values.is_empty()) {
            values.flatten().copied().collect()
        } else {
            Vec::new()
        };
        values.sort_unstable();
        values.dedup();
        let owners = listed(owned.iter().map(|(owner, _)| owner.name.as_str()), "and");
        let shown = format!("{long}.{}", dashed(name));
        let names = std::iter::once(name).chain(owned.iter().flat_map(|(_, field)| field.aliases.iter().copied()));
        let mut aliases: Vec<String> = names.flat_map(|name| spellings(&format!("{long}.{name}"))).collect();
        aliases.sort();
        aliases.dedup();
        aliases.retain(|alias| *alias != shown);
        let about = owned.iter().map(|(_, field)| field.about).find(|about| !about.is_empty()).unwrap_or("A field");
        let arg = Arg::new(format!("{id}.{name}")).long(shown).aliases(aliases).value_name(name.to_uppercase());
        let arg = arg.allow_negative_numbers(true).hide(true).help(format!("{about}, of {owners}"));
        if is_bool {
            arg.num_args(0..=1).value_parser(["true", "false"]).default_missing_value("true")
        } else if values.is_empty() {
            arg
        } else {
            arg.value_parser(AnyText(values)).hide_possible_values(true)
        }
    });
    flags.collect()
}

/// Returns a name as flags have it.
pub(crate) fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// Returns the spellings of a flag with dashes and with underscores, each in the part before the last dot and after it.
pub(crate) fn spellings(long: &str) -> Vec<String> {
    let both = |name: &str| {
        let mut both = vec![dashed(name), name.replace('-', "_")];
        both.dedup();
        both
    };
    match long.rsplit_once('.') {
        None => both(long),
        Some((path, name)) => {
            let names = both(name);
            both(path).iter().flat_map(|path| names.iter().map(move |name| format!("{path}.{name}"))).collect()
        }
    }
}

/// Accepts any text, which is checked when the variant is known. The values of all variants are for completions.
#[derive(Clone)]
struct AnyText(Vec<&'static str>);

impl TypedValueParser for AnyText {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// Parses the name of a variant.
#[derive(Clone)]
struct NameParser(&'static Choices);

impl TypedValueParser for NameParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        match value.to_str().and_then(|name| self.0.variant(name)) {
            Some(variant) => Ok(variant.name.clone()),
            None => {
                let names: Vec<String> = self.0.names().map(str::to_owned).collect();
                let suggestion = value.to_str().and_then(|name| nearest(&name.to_lowercase(), self.0.names()));
                let parsed = PossibleValuesParser::new(names).parse_ref(command, arg, value);
                parsed.map_err(|mut error| {
                    if let Some(name) = suggestion {
                        error.insert(ContextKind::SuggestedValue, ContextValue::String(name.to_owned()));
                    }
                    error
                })
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.variants.iter().map(|variant| {
            let value = PossibleValue::new(&variant.name);
            if variant.about.is_empty() { value } else { value.help(variant.about) }
        })))
    }
}
