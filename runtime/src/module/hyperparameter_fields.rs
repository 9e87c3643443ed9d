//! The fields of a struct of hyperparameters, merged from files, a checkpoint, flags and defaults in their serde form.

use super::{AnyHyperparameters, HyperparameterType};
use crate::choice::{Choices, choices_of_flag};
use crate::json::{Filler, Path, Shape};
use crate::misspelling::unknown_key;
use crate::yaml::{Table, in_one_line, shown};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Id};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The flags of a struct of hyperparameters, and their values on a command line.
pub(crate) struct FlagValues {
    /// The declared flags.
    pub(crate) args: Vec<Arg>,
    /// All values, including defaults.
    pub(crate) given: ArgMatches,
    /// The values on the command line.
    pub(crate) explicit: ArgMatches,
    /// Those without choices, whose fields have flags of their own and are merged with files.
    updates: ArgMatches,
    /// The choices among the flags, by the ids of the flags.
    choices: BTreeMap<String, &'static Choices>,
}

impl FlagValues {
    /// Returns the values of the flags of a command, which was parsed to `given`.
    pub(crate) fn new(command: &Command, given: ArgMatches) -> Self {
        let mut explicit = given.clone();
        let is_default = |id: &Id| given.value_source(id.as_str()) == Some(ValueSource::DefaultValue);
        for id in given.ids().filter(|id| is_default(id)) {
            // fails for the ids of groups
            let _ = explicit.try_clear_id(id.as_str());
        }
        let args: Vec<Arg> = command.get_arguments().cloned().collect();
        let choices = args.iter().filter_map(|arg| Some((arg.get_id().to_string(), choices_of_flag(arg)?.ok()?)));
        let choices: BTreeMap<_, _> = choices.collect();
        let mut updates = explicit.clone();
        for id in choices.keys() {
            let _ = updates.try_clear_id(id);
        }
        Self { args, given, explicit, updates, choices }
    }

    /// Returns the defaults: the values on an empty command line.
    pub(crate) fn defaults(kind: HyperparameterType) -> Self {
        let command = (kind.augment_args)(Command::new("defaults").no_binary_name(true).disable_help_flag(true));
        // required flags do not have a value
        let given = command.clone().ignore_errors(true).get_matches_from([""; 0]);
        Self::new(&command, given)
    }

    /// Returns the values of a table by their names, and if a value is a struct, also the values of its fields by theirs.
    pub(crate) fn name_values(&self, table: &Table) -> BTreeMap<String, Value> {
        let mut named = BTreeMap::new();
        table.iter().for_each(|(name, value)| self.name_value(name, value, &mut named));
        named
    }

    fn name_value(&self, name: &str, value: &Value, named: &mut BTreeMap<String, Value>) {
        named.insert(name.to_owned(), value.clone());
        // the names of a choice's fields are not those of flags
        let fields = value.as_object().filter(|_| !self.choices.contains_key(name));
        fields.into_iter().flatten().for_each(|(name, value)| self.name_value(name, value, named));
    }

    /// Returns whether the value of a flag is a choice.
    pub(crate) fn is_choice(&self, id: &str) -> bool {
        self.choices.contains_key(id)
    }

    /// Returns whether a flag is on the command line.
    pub(crate) fn is_explicit(&self, id: &str) -> bool {
        self.explicit.try_contains_id(id).unwrap_or_default()
    }
}

/// The fields of a struct of hyperparameters.
pub(crate) struct Fields<'a> {
    kind: HyperparameterType,
    flags: &'a FlagValues,
    /// The values of the flags on the command line, else their defaults, for flags with a single text.
    texts: BTreeMap<String, String>,
    shape: Shape,
    /// The values that the files override.
    pub(crate) base: Value,
    /// The seeds of the fillers with which the base can be deserialized.
    seeds: Vec<u8>,
}

impl<'a> Fields<'a> {
    /// Returns the fields with the values `base`, which may be incomplete.
    pub(crate) fn new(kind: HyperparameterType, flags: &'a FlagValues, base: Value) -> Self {
        let args = &flags.args;
        let texts = args.iter().filter_map(|arg| {
            let mut raw = flags.given.try_get_raw(arg.get_id().as_str()).ok()??;
            Some((arg.get_id().to_string(), raw.next()?.to_str()?.to_owned())).filter(|_| raw.next().is_none())
        });
        let mut texts: BTreeMap<String, String> = texts.collect();
        for (id, choices) in &flags.choices {
            if let Some(value) = choices.value_of_text(texts.get(id).map(String::as_str)) {
                texts.insert(id.clone(), value.to_string());
            }
        }
        let mut shape = (kind.shape)(&base, &texts);
        // a struct that is the value of one flag needs no placeholder
        shape.optional.retain(|path| path.last().is_none_or(|name| args.iter().all(|arg| arg.get_id() != name)));
        let mut fields = Self { kind, flags, texts, shape, base, seeds: Vec::new() };
        fields.seeds = (0..SEEDS).filter(|seed| fields.filled(&fields.base, *seed).is_ok()).collect();
        fields
    }

    /// Splits a table of a file into the valid values and a list with a mistake for each invalid one.
    pub(crate) fn sort_out(&self, path: &mut Path, table: &Table) -> (Table, Vec<String>) {
        let (mut usable, mut mistakes) = (Table::new(), Vec::new());
        let known = self.known(&path[1..]);
        for (key, value) in table {
            path.push(key.clone());
            let shown_path = path.iter().map(|name| shown(name)).collect::<Vec<_>>().join(".");
            if let Some(choices) = self.choices_at(&path[1..]).filter(|_| !value.is_null()) {
                let (fields, wrong) = choices.sort_out(&shown_path, value);
                usable.extend((!fields.is_empty()).then(|| (key.clone(), Value::Object(fields))));
                mistakes.extend(wrong);
                path.pop();
                continue;
            }
            match value {
                _ if known.as_ref().is_some_and(|known| !known.contains(key)) => {
                    mistakes.push(unknown_key(&shown_path, key, known.as_deref().unwrap_or_default()));
                }
                Value::Object(inner) if self.shape.structs.contains_key(&path[1..]) => {
                    let (inner, wrong) = self.sort_out(path, inner);
                    usable.insert(key.clone(), Value::Object(inner));
                    mistakes.extend(wrong);
                }
                value => match self.check(&path[1..], value) {
                    Ok(()) => drop(usable.insert(key.clone(), value.clone())),
                    Err(error) => mistakes.push(format!("`{shown_path}`: {}", in_one_line(&error))),
                },
            }
            path.pop();
        }
        (usable, mistakes)
    }

    /// Returns the path of the field of a flag, which is found by its name.
    pub(crate) fn path_of(&self, id: &str) -> Option<Path> {
        let structs = &self.shape.structs;
        let path = structs.iter().find(|(_, fields)| fields.contains(&id)).map(|(path, _)| path.clone());
        // the fields of a struct with `serde(flatten)` are not known
        let mut path = path.or_else(|| (!structs.contains_key(&Path::new())).then(Path::new))?;
        path.push(id.to_owned());
        Some(path)
    }

    fn choices_at(&self, path: &[String]) -> Option<&'static Choices> {
        let id = path.last()?;
        self.flags.choices.get(id).copied().filter(|_| self.path_of(id).as_deref() == Some(path))
    }

    /// Returns the names of the fields of the struct at a path; `None` if they are not known.
    fn known(&self, path: &[String]) -> Option<Vec<String>> {
        let at_path = path.iter().try_fold(&self.base, |value, name| value.get(name));
        let keys = at_path.and_then(Value::as_object).into_iter().flat_map(Table::keys).cloned();
        let fields = self.shape.structs.get(path);
        let mut known: Vec<String> = keys.collect();
        known.extend(fields.into_iter().flat_map(|fields| fields.iter().map(|field| (*field).to_owned())));
        if path.is_empty() && fields.is_none() {
            known.extend(self.flags.args.iter().map(|arg| arg.get_id().to_string()));
        }
        known.sort();
        known.dedup();
        Some(known).filter(|known| path.is_empty() || !known.is_empty())
    }

    /// Checks that a value fits the field at a path.
    fn check(&self, path: &[String], value: &Value) -> Result<(), String> {
        // without placeholders, a value cannot be checked alone: all are checked together later
        let Some(seed) = self.seeds.first() else { return Ok(()) };
        let values = self.with_value(&self.base, path, value.clone());
        self.filled(&values, *seed).map(drop).map_err(|error| error.to_string())
    }

    /// Returns `base` with a value at a path.
    pub(crate) fn with_value(&self, base: &Value, path: &[String], value: Value) -> Value {
        let table = path.iter().rev().fold(value, |value, name| Table::from_iter([(name.clone(), value)]).into());
        self.overlaid(base, table.as_object().unwrap_or(&Table::new()))
    }

    /// Returns `base` with the values of `table`; structs are merged field by field.
    pub(crate) fn overlaid(&self, base: &Value, table: &Table) -> Value {
        self.overlaid_at(&mut Path::new(), base, table)
    }

    fn overlaid_at(&self, path: &mut Path, base: &Value, table: &Table) -> Value {
        let mut all = base.as_object().cloned().unwrap_or_default();
        for (key, value) in table {
            path.push(key.clone());
            let before = all.get(key).unwrap_or(&Value::Null);
            let value = match (value, self.choices_at(path)) {
                (Value::Object(inner), Some(choices)) => choices.merged(before, inner),
                (Value::Object(inner), None) if self.shape.structs.contains_key(path) => {
                    self.overlaid_at(path, before, inner)
                }
                (value, _) => value.clone(),
            };
            all.insert(key.clone(), value);
            path.pop();
        }
        Value::Object(all)
    }

    /// Returns the hyperparameters, with defaults for missing values and with the flags on the command line, and the path of the first
    /// value that has no default.
    pub(crate) fn completed(&self, values: &Value) -> serde_json::Result<(Box<dyn AnyHyperparameters>, Option<Path>)> {
        let optional = self.optional_of_flags(values);
        let completed = (0..SEEDS).map(|seed| self.with_flags(values, seed, &optional));
        let mut complete = completed.filter_map(Result::ok);
        let (Some(one), Some(other)) = (complete.next(), complete.next()) else {
            // no placeholder is valid
            let mut hparams = (self.kind.from_json)(values.clone())?;
            hparams.update(&self.flags.updates).map_err(serde::de::Error::custom)?;
            return Ok((hparams, None));
        };
        let mut placeholders = Vec::new();
        differences(&one, &other, &mut Path::new(), &mut placeholders);
        let missing = placeholders.into_iter().find(|path| self.is_required(path, values));
        Ok(((self.kind.from_json)(one)?, missing))
    }

    /// Returns whether a placeholder stands for a required value: that of a required flag, which may have another name.
    fn is_required(&self, path: &[String], values: &Value) -> bool {
        let named = values.as_object().map(|table| self.flags.name_values(table)).unwrap_or_default();
        let is_given = |arg: &Arg| {
            let id = arg.get_id().as_str();
            named.contains_key(id) || self.flags.is_explicit(id)
        };
        match self.flags.args.iter().find(|arg| path.last().is_some_and(|name| arg.get_id() == name)) {
            Some(arg) => arg.is_required_set(),
            None => self.flags.args.iter().any(|arg| arg.is_required_set() && !is_given(arg)),
        }
    }

    fn filled(&self, values: &Value, seed: u8) -> serde_json::Result<Box<dyn AnyHyperparameters>> {
        (self.kind.fill)(values, Filler::new(seed, &self.texts), &self.shape)
    }

    /// Returns the fields before and after an update by flags.
    fn updated(&self, values: &Value, seed: u8, flags: &ArgMatches) -> serde_json::Result<(Value, Value)> {
        let mut hparams = self.filled(values, seed)?;
        let before = hparams.json()?;
        hparams.update(flags).map_err(serde::de::Error::custom)?;
        Ok((before, hparams.json()?))
    }

    /// Returns the values with defaults and flags, and with placeholders for missing values.
    fn with_flags(&self, values: &Value, seed: u8, optional: &BTreeSet<Path>) -> serde_json::Result<Value> {
        let (_, mut all) = self.updated(values, seed, &self.flags.given)?;
        if let Some(table) = values.as_object() {
            all = self.updated(&self.overlaid(&all, table), seed, &self.flags.updates)?.1;
        }
        for path in self.shape.optional.difference(optional) {
            let value = path.iter().try_fold(&mut all, |value, name| value.get_mut(name));
            value.into_iter().for_each(|value| *value = Value::Null);
        }
        Ok(all)
    }

    /// Returns the optional structs that are in the values or have a flag on the command line.
    fn optional_of_flags(&self, values: &Value) -> BTreeSet<Path> {
        let updates = (0..SEEDS).filter_map(|seed| self.updated(values, seed, &self.flags.updates).ok());
        let updates: Vec<(Value, Value)> = updates.collect();
        let is_there = |path: &&Path| {
            let at = |value| path.iter().try_fold(value, |value: &Value, name| value.get(name));
            at(values).is_some_and(|value| !value.is_null())
                || updates.iter().any(|(before, after)| at(before) != at(after))
        };
        self.shape.optional.iter().filter(is_there).cloned().collect()
    }
}

/// The number of fillers to try. More than one, as a type may reject 0.
const SEEDS: u8 = 3;

/// Collects the paths at which two values differ.
fn differences(one: &Value, other: &Value, path: &mut Path, found: &mut Vec<Path>) {
    let (Value::Object(fields), Value::Object(others)) = (one, other) else {
        if one != other {
            found.push(path.clone());
        }
        return;
    };
    let names: BTreeSet<&String> = fields.keys().chain(others.keys()).collect();
    for name in names {
        path.push(name.clone());
        differences(fields.get(name).unwrap_or(&Value::Null), others.get(name).unwrap_or(&Value::Null), path, found);
        path.pop();
    }
}
