//! The hyperparameters of a model or of its data, merged from flags, files, a checkpoint and defaults in their serde form.

use super::configuration::Configuration;
use super::part::PartFlags;
use crate::config::keys::unknown;
use crate::json::{Filler, Path, Shape};
use crate::messages::warning;
use crate::module::Hyperparameters;
use crate::yaml::{Table, in_one_line, shown};
use anyhow::{Context as _, Result, anyhow};
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path;

/// The merged hyperparameters, of which a value may still be missing.
pub(super) struct Found<H> {
    hparams: Result<H>,
    /// The values from files, by the names of their flags.
    pub(super) values: BTreeMap<String, Value>,
    /// The error for a missing value, if there is one.
    missing: Option<anyhow::Error>,
}

impl<H> Found<H> {
    /// Returns the hyperparameters.
    ///
    /// # Errors
    /// If a value is missing or invalid.
    pub(super) fn complete(self) -> Result<H> {
        match self.missing {
            Some(missing) => Err(missing),
            None => self.hparams,
        }
    }
}

/// Merges the hyperparameters of the part `of`, in ascending precedence: the defaults of the flags, or the values in a checkpoint if
/// there is one; the files; the flags on the command line.
///
/// # Errors
/// If a value has the wrong type.
pub(super) fn read<H: Hyperparameters>(
    of: &'static str,
    flags: &PartFlags,
    saved: Option<(&path::Path, &Value)>,
    files: &mut Configuration,
) -> Result<Found<H>> {
    let saved = saved.and_then(|(path, saved)| Some((path, saved.get(of)?)));
    let mut base = Value::Object(Table::new());
    if let Some((_, saved)) = saved {
        base = saved.clone();
    } else if let Ok(hparams) = H::from_arg_matches(&flags.given) {
        if !files.have(of) {
            return Ok(Found { hparams: Ok(hparams), values: BTreeMap::new(), missing: None });
        }
        base = hparams.to_json().with_context(|| format!("cannot serialize the {of}'s hyperparameters"))?;
    }
    let mut fields = Fields::<H>::new(flags, base);
    let mut of_files = Value::Object(Table::new());
    for (table, mistakes) in files.sections(of) {
        let (usable, wrong) = fields.sort_out(&mut vec![of.to_owned()], &table);
        of_files = fields.overlaid(&of_files, &usable);
        mistakes.extend(wrong);
    }
    without_conflicts(flags, &mut of_files);
    if saved.is_some() {
        without_conflicts(flags, &mut fields.base);
    }
    let Value::Object(table) = of_files else { return Err(anyhow!("the configuration's `{of}` is not a table")) };
    let values = fields.overlaid(&fields.base, &table);
    let whose = || match saved {
        Some((path, _)) => format!("the hyperparameters in {} do not fit the {of}", path.display()),
        None => format!("the configuration's `{of}` does not fit the {of}"),
    };
    let mut named = BTreeMap::new();
    table.iter().for_each(|(name, value)| name_value(name, value, &mut named));
    let (hparams, missing) = match fields.completed(&values) {
        Ok((hparams, missing)) => (Ok(hparams), missing),
        Err(error) => (Err(anyhow!(error).context(whose())), None),
    };
    let missing = missing.map(|path| anyhow!("{}: missing field `{}`", whose(), path.join(".")));
    if let (None, true) = (&missing, hparams.is_ok()) {
        // values whose names differ from those of their flags are present as well; an empty list counts as no value
        let is_list = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append);
        let required = flags.args.iter().filter(|arg| arg.is_required_set() && !is_list(arg));
        let required = required.map(|arg| arg.get_id().to_string());
        named.extend(
            required.filter(|id| !named.contains_key(id)).map(|id| (id, Value::Bool(true))).collect::<Vec<_>>(),
        );
    }
    Ok(Found { hparams, values: named, missing })
}

/// Removes the values that conflict with flags on the command line: flags take precedence.
fn without_conflicts(flags: &PartFlags, values: &mut Value) {
    let Some(table) = values.as_object_mut() else { return };
    table.retain(|name, value| {
        let conflicts = flags.conflicts(name, value);
        if conflicts {
            warning!("ignoring `{}` from a file or a checkpoint: it conflicts with a flag", shown(name));
        }
        !conflicts
    });
    table.values_mut().for_each(|value| without_conflicts(flags, value));
}

/// Adds a value by its name, and if it is a struct, the values of its fields by theirs.
fn name_value(name: &str, value: &Value, named: &mut BTreeMap<String, Value>) {
    named.insert(name.to_owned(), value.clone());
    value.as_object().into_iter().flatten().for_each(|(name, value)| name_value(name, value, named));
}

/// The fields of a struct of hyperparameters.
struct Fields<'a, H> {
    flags: &'a PartFlags,
    /// The values of the flags on the command line, else their defaults, for flags with a single text.
    texts: BTreeMap<String, String>,
    shape: Shape,
    /// The values that the files override.
    base: Value,
    /// The seeds of the fillers with which the base can be deserialized.
    seeds: Vec<u8>,
    kind: std::marker::PhantomData<H>,
}

impl<'a, H: Hyperparameters> Fields<'a, H> {
    fn new(flags: &'a PartFlags, base: Value) -> Self {
        let args = &flags.args;
        let texts = args.iter().filter_map(|arg| {
            let mut raw = flags.given.try_get_raw(arg.get_id().as_str()).ok()??;
            Some((arg.get_id().to_string(), raw.next()?.to_str()?.to_owned())).filter(|_| raw.next().is_none())
        });
        let texts = texts.collect();
        let mut shape = H::shape(&base, &texts);
        // a struct that is the value of one flag needs no placeholder
        shape.optional.retain(|path| path.last().is_none_or(|name| args.iter().all(|arg| arg.get_id() != name)));
        let mut fields = Self { flags, texts, shape, base, seeds: Vec::new(), kind: std::marker::PhantomData };
        fields.seeds = (0..SEEDS).filter(|seed| fields.filled(&fields.base, *seed).is_ok()).collect();
        fields
    }

    /// Splits a table of a file into the valid values and a list with a mistake for each invalid one.
    fn sort_out(&self, path: &mut Path, table: &Table) -> (Table, Vec<String>) {
        let (mut usable, mut mistakes) = (Table::new(), Vec::new());
        let known = self.known(&path[1..]);
        for (key, value) in table {
            path.push(key.clone());
            let shown_path = path.iter().map(|name| shown(name)).collect::<Vec<_>>().join(".");
            match value {
                _ if known.as_ref().is_some_and(|known| !known.contains(key)) => {
                    mistakes.push(unknown(&shown_path, key, known.as_deref().unwrap_or_default()));
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
        let mut one = value.clone();
        for name in path.iter().rev() {
            one = Value::Object(Table::from_iter([(name.clone(), one)]));
        }
        let Value::Object(one) = one else { return Ok(()) };
        // without placeholders, a value cannot be checked alone: all are checked together later
        let Some(seed) = self.seeds.first() else { return Ok(()) };
        self.filled(&self.overlaid(&self.base, &one), *seed).map(drop).map_err(|error| error.to_string())
    }

    /// Returns `base` with the values of `table`; structs are merged field by field.
    fn overlaid(&self, base: &Value, table: &Table) -> Value {
        overlaid(&self.shape, &mut Path::new(), base, table)
    }

    /// Returns the hyperparameters, with defaults for missing values and with the flags on the command line, and the path of the first
    /// value that has no default.
    fn completed(&self, values: &Value) -> serde_json::Result<(H, Option<Path>)> {
        let optional = self.optional_of_flags(values);
        let completed = (0..SEEDS).map(|seed| self.with_flags(values, seed, &optional));
        let mut complete = completed.filter_map(Result::ok);
        let (Some(one), Some(other)) = (complete.next(), complete.next()) else {
            // no placeholder is valid
            let mut hparams = H::from_json(values.clone())?;
            hparams.update_from_arg_matches(&self.flags.explicit).map_err(serde::de::Error::custom)?;
            return Ok((hparams, None));
        };
        let mut placeholders = Vec::new();
        differences(&one, &other, &mut Path::new(), &mut placeholders);
        let missing = placeholders.into_iter().find(|path| self.is_required(path, values));
        Ok((H::from_json(one)?, missing))
    }

    /// Returns whether a placeholder stands for a required value: that of a required flag, which may have another name.
    fn is_required(&self, path: &[String], values: &Value) -> bool {
        let mut named = BTreeMap::new();
        values.as_object().into_iter().flatten().for_each(|(name, value)| name_value(name, value, &mut named));
        let is_given = |arg: &Arg| {
            let id = arg.get_id().as_str();
            named.contains_key(id) || self.flags.explicit.try_contains_id(id).unwrap_or_default()
        };
        match self.flags.args.iter().find(|arg| path.last().is_some_and(|name| arg.get_id() == name)) {
            Some(arg) => arg.is_required_set(),
            None => self.flags.args.iter().any(|arg| arg.is_required_set() && !is_given(arg)),
        }
    }

    fn filled(&self, values: &Value, seed: u8) -> serde_json::Result<H> {
        H::fill(values, Filler::new(seed, &self.texts), &self.shape)
    }

    /// Returns the fields before and after an update by flags.
    fn updated(&self, values: &Value, seed: u8, flags: &ArgMatches) -> serde_json::Result<(Value, Value)> {
        let mut hparams = self.filled(values, seed)?;
        let before = hparams.to_json()?;
        hparams.update_from_arg_matches(flags).map_err(serde::de::Error::custom)?;
        Ok((before, hparams.to_json()?))
    }

    /// Returns the values with defaults and flags, and with placeholders for missing values.
    fn with_flags(&self, values: &Value, seed: u8, optional: &BTreeSet<Path>) -> serde_json::Result<Value> {
        let (_, mut all) = self.updated(values, seed, &self.flags.given)?;
        if let Some(table) = values.as_object() {
            all = self.updated(&self.overlaid(&all, table), seed, &self.flags.explicit)?.1;
        }
        for path in self.shape.optional.difference(optional) {
            let value = path.iter().try_fold(&mut all, |value, name| value.get_mut(name));
            value.into_iter().for_each(|value| *value = Value::Null);
        }
        Ok(all)
    }

    /// Returns the optional structs that are in the values or have a flag on the command line.
    fn optional_of_flags(&self, values: &Value) -> BTreeSet<Path> {
        let updates = (0..SEEDS).filter_map(|seed| self.updated(values, seed, &self.flags.explicit).ok());
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

fn overlaid(shape: &Shape, path: &mut Path, base: &Value, table: &Table) -> Value {
    let mut all = base.as_object().cloned().unwrap_or_default();
    for (key, value) in table {
        path.push(key.clone());
        let value = match value {
            Value::Object(inner) if shape.structs.contains_key(path) => {
                overlaid(shape, path, all.get(key).unwrap_or(&Value::Null), inner)
            }
            value => value.clone(),
        };
        all.insert(key.clone(), value);
        path.pop();
    }
    Value::Object(all)
}

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
