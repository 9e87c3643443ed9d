//! The hyperparameters of a model or of its data: from flags, files, a checkpoint and defaults, put together as serde has them.

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

/// What was read, of which a value may be missing.
pub(super) struct Found<H> {
    hparams: Result<H>,
    /// The files' values, by the names of the flags.
    pub(super) values: BTreeMap<String, Value>,
    /// Says that a value is missing, where one is.
    missing: Option<anyhow::Error>,
}

impl<H> Found<H> {
    /// # Errors
    /// A value that is missing.
    pub(super) fn complete(self) -> Result<H> {
        match self.missing {
            Some(missing) => Err(missing),
            None => self.hparams,
        }
    }
}

/// Reads the hyperparameters `of` a part: the flags' defaults, or a checkpoint's own values where there is one; then the files', then
/// the flags that were given.
///
/// # Errors
/// Values that do not fit.
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
        base = hparams.to_json().with_context(|| format!("the {of}'s hyperparameters cannot be written"))?;
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
        // those whose values have other names than their flags are there as well
        // an empty list is as good as none
        let is_list = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append);
        let required = flags.args.iter().filter(|arg| arg.is_required_set() && !is_list(arg));
        let required = required.map(|arg| arg.get_id().to_string());
        named.extend(
            required.filter(|id| !named.contains_key(id)).map(|id| (id, Value::Bool(true))).collect::<Vec<_>>(),
        );
    }
    Ok(Found { hparams, values: named, missing })
}

/// Removes the values that conflict with flags which were written: the flags win.
fn without_conflicts(flags: &PartFlags, values: &mut Value) {
    let Some(table) = values.as_object_mut() else { return };
    table.retain(|name, value| {
        let conflicts = flags.conflicts(name, value);
        if conflicts {
            warning!("`{}` of a file or a checkpoint is ignored, as it conflicts with a flag", shown(name));
        }
        !conflicts
    });
    table.values_mut().for_each(|value| without_conflicts(flags, value));
}

/// Adds a value, and where it is a struct the values of its fields, by their names.
fn name_value(name: &str, value: &Value, named: &mut BTreeMap<String, Value>) {
    named.insert(name.to_owned(), value.clone());
    value.as_object().into_iter().flatten().for_each(|(name, value)| name_value(name, value, named));
}

/// The fields of a struct of hyperparameters.
struct Fields<'a, H> {
    flags: &'a PartFlags,
    /// The values of flags that were given, else their defaults, where these are one text.
    texts: BTreeMap<String, String>,
    shape: Shape,
    /// The values from before the files.
    base: Value,
    /// The fillers with which they can be read.
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
        // a struct that is the value of one flag is not made up
        shape.optional.retain(|place| place.last().is_none_or(|name| args.iter().all(|arg| arg.get_id() != name)));
        let mut fields = Self { flags, texts, shape, base, seeds: Vec::new(), kind: std::marker::PhantomData };
        fields.seeds = (0..SEEDS).filter(|seed| fields.filled(&fields.base, *seed).is_ok()).collect();
        fields
    }

    /// Divides a table of a file into what can be used and what cannot, with a mistake for each value.
    fn sort_out(&self, place: &mut Path, table: &Table) -> (Table, Vec<String>) {
        let (mut usable, mut mistakes) = (Table::new(), Vec::new());
        let known = self.known(&place[1..]);
        for (key, value) in table {
            place.push(key.clone());
            let shown_place = place.iter().map(|name| shown(name)).collect::<Vec<_>>().join(".");
            match value {
                _ if known.as_ref().is_some_and(|known| !known.contains(key)) => {
                    mistakes.push(unknown(&shown_place, key, known.as_deref().unwrap_or_default()));
                }
                Value::Object(inner) if self.shape.structs.contains_key(&place[1..]) => {
                    let (inner, wrong) = self.sort_out(place, inner);
                    usable.insert(key.clone(), Value::Object(inner));
                    mistakes.extend(wrong);
                }
                value => match self.check(&place[1..], value) {
                    Ok(()) => drop(usable.insert(key.clone(), value.clone())),
                    Err(error) => mistakes.push(format!("`{shown_place}`: {}", in_one_line(&error))),
                },
            }
            place.pop();
        }
        (usable, mistakes)
    }

    /// The names of the fields in the struct at a place; `None` where they are not known.
    fn known(&self, place: &[String]) -> Option<Vec<String>> {
        let at_place = place.iter().try_fold(&self.base, |value, name| value.get(name));
        let keys = at_place.and_then(Value::as_object).into_iter().flat_map(Table::keys).cloned();
        let fields = self.shape.structs.get(place);
        let mut known: Vec<String> = keys.collect();
        known.extend(fields.into_iter().flat_map(|fields| fields.iter().map(|field| (*field).to_owned())));
        if place.is_empty() && fields.is_none() {
            known.extend(self.flags.args.iter().map(|arg| arg.get_id().to_string()));
        }
        known.sort();
        known.dedup();
        Some(known).filter(|known| place.is_empty() || !known.is_empty())
    }

    /// Whether a value fits the field at a place.
    fn check(&self, place: &[String], value: &Value) -> Result<(), String> {
        let mut one = value.clone();
        for name in place.iter().rev() {
            one = Value::Object(Table::from_iter([(name.clone(), one)]));
        }
        let Value::Object(one) = one else { return Ok(()) };
        // where nothing can be made up, the values are judged together
        let Some(seed) = self.seeds.first() else { return Ok(()) };
        self.filled(&self.overlaid(&self.base, &one), *seed).map(drop).map_err(|error| error.to_string())
    }

    /// A table with values of another: structs have the values of both.
    fn overlaid(&self, base: &Value, table: &Table) -> Value {
        overlaid(&self.shape, &mut Path::new(), base, table)
    }

    /// The values with the defaults of those that are missing, and the flags that were given; and the first that has no default.
    fn completed(&self, values: &Value) -> serde_json::Result<(H, Option<Path>)> {
        let optional = self.optional_of_flags(values);
        let completed = (0..SEEDS).map(|seed| self.with_flags(values, seed, &optional));
        let mut whole = completed.filter_map(Result::ok);
        let (Some(one), Some(other)) = (whole.next(), whole.next()) else {
            // a missing value has no substitute
            let mut hparams = H::from_json(values.clone())?;
            hparams.update_from_arg_matches(&self.flags.explicit).map_err(serde::de::Error::custom)?;
            return Ok((hparams, None));
        };
        let mut made_up = Vec::new();
        differences(&one, &other, &mut Path::new(), &mut made_up);
        let missing = made_up.into_iter().find(|place| self.is_required(place, values));
        Ok((H::from_json(one)?, missing))
    }

    /// Whether a value that was made up must be given: one of a required flag, which may have another name.
    fn is_required(&self, place: &[String], values: &Value) -> bool {
        let mut named = BTreeMap::new();
        values.as_object().into_iter().flatten().for_each(|(name, value)| name_value(name, value, &mut named));
        let is_given = |arg: &Arg| {
            let id = arg.get_id().as_str();
            named.contains_key(id) || self.flags.explicit.try_contains_id(id).unwrap_or_default()
        };
        match self.flags.args.iter().find(|arg| place.last().is_some_and(|name| arg.get_id() == name)) {
            Some(arg) => arg.is_required_set(),
            None => self.flags.args.iter().any(|arg| arg.is_required_set() && !is_given(arg)),
        }
    }

    fn filled(&self, values: &Value, seed: u8) -> serde_json::Result<H> {
        H::fill(values, Filler::new(seed, &self.texts), &self.shape)
    }

    /// What the fields are before and after an update by flags.
    fn updated(&self, values: &Value, seed: u8, flags: &ArgMatches) -> serde_json::Result<(Value, Value)> {
        let mut hparams = self.filled(values, seed)?;
        let before = hparams.to_json()?;
        hparams.update_from_arg_matches(flags).map_err(serde::de::Error::custom)?;
        Ok((before, hparams.to_json()?))
    }

    /// The values with defaults and flags, and others made up for what is still missing.
    fn with_flags(&self, values: &Value, seed: u8, optional: &BTreeSet<Path>) -> serde_json::Result<Value> {
        let (_, mut all) = self.updated(values, seed, &self.flags.given)?;
        if let Some(table) = values.as_object() {
            all = self.updated(&self.overlaid(&all, table), seed, &self.flags.explicit)?.1;
        }
        for place in self.shape.optional.difference(optional) {
            let value = place.iter().try_fold(&mut all, |value, name| value.get_mut(name));
            value.into_iter().for_each(|value| *value = Value::Null);
        }
        Ok(all)
    }

    /// The optional structs that the values have, or of which a flag was given.
    fn optional_of_flags(&self, values: &Value) -> BTreeSet<Path> {
        let updates = (0..SEEDS).filter_map(|seed| self.updated(values, seed, &self.flags.explicit).ok());
        let updates: Vec<(Value, Value)> = updates.collect();
        let is_there = |place: &&Path| {
            let at = |value| place.iter().try_fold(value, |value: &Value, name| value.get(name));
            at(values).is_some_and(|value| !value.is_null())
                || updates.iter().any(|(before, after)| at(before) != at(after))
        };
        self.shape.optional.iter().filter(is_there).cloned().collect()
    }
}

/// How many fillers are tried: a type may have no 0.
const SEEDS: u8 = 3;

fn overlaid(shape: &Shape, place: &mut Path, base: &Value, table: &Table) -> Value {
    let mut all = base.as_object().cloned().unwrap_or_default();
    for (key, value) in table {
        place.push(key.clone());
        let value = match value {
            Value::Object(inner) if shape.structs.contains_key(place) => {
                overlaid(shape, place, all.get(key).unwrap_or(&Value::Null), inner)
            }
            value => value.clone(),
        };
        all.insert(key.clone(), value);
        place.pop();
    }
    Value::Object(all)
}

/// The places at which two values differ.
fn differences(one: &Value, other: &Value, place: &mut Path, found: &mut Vec<Path>) {
    let (Value::Object(fields), Value::Object(others)) = (one, other) else {
        if one != other {
            found.push(place.clone());
        }
        return;
    };
    let names: BTreeSet<&String> = fields.keys().chain(others.keys()).collect();
    for name in names {
        place.push(name.clone());
        differences(fields.get(name).unwrap_or(&Value::Null), others.get(name).unwrap_or(&Value::Null), place, found);
        place.pop();
    }
}
