//! The variants of a choice and their fields, found by deserializing and serializing its type.

use super::source::{OfType, Sample, Source};
use super::{Choice, Documentation};
use crate::json::ProbeError;
use crate::profiler::short_type_name;
use crate::yaml::Table;
use serde_json::{Value, json};
use std::sync::Arc;

/// The variants of a type.
pub(crate) struct Choices {
    /// The key of a variant's name in serialized values.
    pub(crate) tag: &'static str,
    pub(crate) variants: Vec<Variant>,
    pub(super) source: Arc<dyn Source>,
}

pub(crate) struct Variant {
    pub(crate) name: String,
    /// Other names of the variant.
    pub(super) aliases: Vec<&'static str>,
    pub(super) about: &'static str,
    pub(crate) fields: Vec<Field>,
    /// A value whose required fields have placeholders.
    pub(super) example: Table,
}

pub(crate) struct Field {
    pub(crate) name: String,
    /// Other names of the field.
    pub(super) aliases: Vec<&'static str>,
    /// `None` if the field is required.
    pub(super) default: Option<Value>,
    pub(super) about: &'static str,
    /// The possible values of an enumeration.
    pub(super) values: &'static [&'static str],
}

/// The reason why a type is not a choice.
pub(super) enum NotAChoice {
    /// It does not have a tag.
    Tag,
    /// It does not have variants.
    Variants,
    /// A required field has a type without a placeholder.
    Field { variant: &'static str, field: &'static str },
}

/// A name that is neither a variant nor a field.
pub(super) const NO_NAME: &str = "\u{0}";

impl Choices {
    /// Finds the variants of a type.
    ///
    /// # Errors
    /// If the type is not an internally tagged enumeration, or if a required field has a type without a placeholder.
    pub(super) fn of<T: Choice>() -> Result<Self, String> {
        let type_name = short_type_name(std::any::type_name::<T>());
        Self::of_source(Arc::new(OfType::<T>::new())).map_err(|not_a_choice| match not_a_choice {
            NotAChoice::Tag => {
                format!("`{type_name}` cannot be a choice: add `#[serde(tag = \"name\")]` to the enumeration")
            }
            NotAChoice::Variants => {
                format!("`{type_name}` cannot be a choice: it must be an enumeration with variants")
            }
            NotAChoice::Field { variant, field } => format!(
                "the field `{field}` of the choice `{variant}` of `{type_name}` has a type that cannot be guessed: give it a default \
                 value, `#[serde(default)]`"
            ),
        })
    }

    pub(super) fn of_source(source: Arc<dyn Source>) -> Result<Self, NotAChoice> {
        let Err(ProbeError::Missing(tag)) = source.probe(&Table::new()) else { return Err(NotAChoice::Tag) };
        let Err(ProbeError::NotAVariant(names)) = source.probe(&table(tag, NO_NAME)) else {
            return Err(NotAChoice::Variants);
        };
        let mut variants: Vec<Variant> = Vec::new();
        for name in names {
            let variant = variant(&*source, tag, name).map_err(|field| NotAChoice::Field { variant: name, field })?;
            // serde lists the other names of a variant as well, in any order
            let index = variants.iter().position(|known| known.name == variant.name).unwrap_or_else(|| {
                variants.push(variant);
                variants.len() - 1
            });
            let variant = &mut variants[index];
            if variant.name != *name {
                variant.aliases.push(name);
            }
        }
        Ok(Self { tag, variants, source })
    }

    /// Returns the variant with this name, in any case, with dashes or underscores, and possibly with a path before it.
    pub(crate) fn variant(&self, name: &str) -> Option<&Variant> {
        let name = name.rsplit(['.', ':']).next().unwrap_or(name);
        self.variants.iter().find(|variant| {
            plain(&variant.name) == plain(name) || variant.aliases.iter().any(|alias| plain(alias) == plain(name))
        })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(|variant| variant.name.as_str())
    }

    /// Returns the variants that have a field, for a sentence: `sgd and rmsprop`.
    pub(super) fn owners_of(&self, field: &str) -> String {
        let owners = self.variants.iter().filter(|variant| variant.field(field).is_some());
        listed(owners.map(|variant| variant.name.as_str()), "and")
    }
}

impl Variant {
    /// Returns the field with this name, with dashes or underscores.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        let name = name.replace('-', "_");
        self.fields.iter().find(|field| field.name.replace('-', "_") == name || field.aliases.contains(&name.as_str()))
    }

    /// Returns the first required field that a table lacks.
    pub(crate) fn missing(&self, table: &Table) -> Option<&str> {
        let required = self.fields.iter().filter(|field| field.default.is_none());
        Some(&required.into_iter().find(|field| !table.contains_key(&field.name))?.name)
    }
}

/// Returns a name without case and separators.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// Joins names for a sentence.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>, conjunction: &str) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
    }
}

pub(super) fn table(key: &str, value: impl Into<Value>) -> Table {
    Table::from_iter([(key.to_owned(), value.into())])
}

pub(super) fn with(table: &Table, key: &str, value: Value) -> Table {
    let mut table = table.clone();
    table.insert(key.to_owned(), value);
    table
}

/// Finds the fields of a variant. The error is the name of a field whose type cannot be guessed.
fn variant(source: &dyn Source, tag: &'static str, name: &str) -> Result<Variant, &'static str> {
    let (given, Sample { serialized, documentation }) = example(source, tag, name)?;
    let Some(serialized) = serialized else { return Err(tag) };
    let name = serialized.get(tag).and_then(Value::as_str).unwrap_or(name).to_owned();
    let Documentation { about, fields: documented } = documentation;
    let about = about.trim().trim_end_matches('.');
    let mut fields: Vec<Field> = Vec::new();
    for (field, value) in serialized.iter().filter(|(field, _)| *field != tag) {
        let default = (!given.contains_key(field)).then(|| value.clone());
        fields.push(Field { name: field.clone(), aliases: Vec::new(), default, about: "", values: &[] });
    }
    let mut declared: &[&str] = &[];
    if let Err(ProbeError::NotAField(known)) = source.probe(&with(&given, NO_NAME, Value::Null)) {
        add_names(source, &serialized, known, &mut fields);
        declared = known;
    }
    for field in &mut fields {
        if let Err(ProbeError::NotAVariant(values)) = source.probe(&with(&serialized, &field.name, NO_NAME.into())) {
            field.values = values;
        }
        let documentation = documented.iter().find(|(name, _)| plain(name) == plain(&field.name));
        field.about = documentation.map_or("", |(_, about)| about);
    }
    let position = |field: &Field| {
        let documented = documented.iter().map(|(name, _)| *name);
        documented.chain(declared.iter().copied()).position(|name| plain(name) == plain(&field.name))
    };
    fields.sort_by_key(|field| (field.default.is_some(), position(field).unwrap_or(usize::MAX)));
    Ok(Variant { name, aliases: Vec::new(), about, fields, example: serialized })
}

/// Adds the names that serialization does not show: aliases, and fields that are not serialized.
fn add_names(source: &dyn Source, serialized: &Table, known: &'static [&'static str], fields: &mut Vec<Field>) {
    for name in known.iter().filter(|name| !serialized.contains_key(**name)) {
        // with a value that has the type of the field, as its type may be checked before its name
        let field = serialized.values().find_map(|value| match source.probe(&with(serialized, name, value.clone())) {
            Err(ProbeError::Twice(field)) => Some(field),
            _ => None,
        });
        match fields.iter_mut().find(|known| Some(&*known.name) == field) {
            Some(field) => field.aliases.push(name),
            None => fields.push(Field {
                name: (*name).to_owned(),
                aliases: Vec::new(),
                default: Some(Value::Null),
                about: "",
                values: &[],
            }),
        }
    }
}

/// Returns a value of a variant, and the table that it was deserialized from: its name and its required fields.
fn example(source: &dyn Source, tag: &'static str, name: &str) -> Result<(Table, Sample), &'static str> {
    let mut given = table(tag, name);
    // the required field that was added last, with its remaining placeholders
    let mut last: (&'static str, std::vec::IntoIter<Value>) = (tag, Vec::new().into_iter());
    loop {
        match source.probe(&given) {
            Ok(value) => return Ok((given, value)),
            Err(ProbeError::Missing(field)) if !given.contains_key(field) => last = (field, placeholders().into_iter()),
            Err(ProbeError::NotAVariant([first, ..])) if last.0 != tag && given[last.0] != *first => {
                given.insert(last.0.to_owned(), (*first).into());
                continue;
            }
            Err(_) => {}
        }
        let placeholder = last.1.next().ok_or(last.0)?;
        given.insert(last.0.to_owned(), placeholder);
    }
}

/// Returns a value of each type that a required field may have.
fn placeholders() -> Vec<Value> {
    vec![
        json!(1),
        json!("1"),
        json!(true),
        json!(0.5),
        json!([]),
        json!([1]),
        json!([1, 1]),
        json!([1, 1, 1]),
        json!({}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Encoder {
        ResNet {
            #[serde(default)]
            depth: i64,
            widths: Vec<i64>,
            activation: Activation,
        },
        #[serde(alias = "transformer")]
        Vit(Vit),
        Identity,
    }

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Vit {
        #[serde(alias = "patch_size", alias = "Patch")]
        patch: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heads: Option<i64>,
        pair: (f64, f64),
    }

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Activation {
        Relu,
        Tanh,
    }

    impl Choice for Encoder {
        fn documentation(&self) -> Documentation {
            let fields: &[_] = &[("widths", "The widths"), ("depth", "The depth")];
            Documentation { about: "An encoder", fields }
        }
    }

    /// A field as `name default [aliases] [values]`.
    fn text(field: &Field) -> String {
        let default = field.default.as_ref().map_or("required".to_owned(), Value::to_string);
        format!("{} {default} {:?} {:?} {}", field.name, field.aliases, field.values, field.about)
    }

    #[test]
    fn choices_are_found_with_their_fields_and_defaults() {
        let choices = Choices::of::<Encoder>().unwrap();
        assert_eq!(choices.tag, "kind");
        assert_eq!(choices.names().collect::<Vec<_>>(), ["res_net", "vit", "identity"]);
        let fields = |name: &str| choices.variant(name).unwrap().fields.iter().map(text).collect::<Vec<_>>();
        assert_eq!(
            fields("ResNet"),
            [
                "widths required [] [] The widths",
                "activation required [] [\"relu\", \"tanh\"] ",
                "depth 0 [] [] The depth"
            ]
        );
        assert_eq!(
            fields("project.Transformer"),
            ["patch required [\"Patch\", \"patch_size\"] [] ", "pair required [] [] ", "heads null [] [] "]
        );
        assert_eq!(fields("IDENTITY"), [""; 0]);
        assert!(choices.variant("resnet18").is_none());
        assert_eq!(choices.owners_of("patch"), "vit");
    }

    #[test]
    fn choices_of_another_type_are_an_error() {
        #[derive(Clone, Serialize, Deserialize)]
        enum Untagged {
            One,
        }

        impl Choice for Untagged {
            fn documentation(&self) -> Documentation {
                Documentation::default()
            }
        }

        let error = Choices::of::<Untagged>().err().unwrap();
        assert_eq!(error, "`Untagged` cannot be a choice: add `#[serde(tag = \"name\")]` to the enumeration");
    }
}
