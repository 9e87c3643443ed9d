//! The hyperparameters of a model or of its data, merged from flags, files, a checkpoint and defaults in their serde form.

use super::configuration::Configuration;
use super::part::{GivenChoice, PartFlags};
use crate::choice::ChoiceFlags;
use crate::json::Path;
use crate::messages::warning;
use crate::module::{AnyHyperparameters, Fields, HyperparameterType};
use crate::yaml::{Table, shown};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Arg, ArgAction};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path;

/// The merged hyperparameters, of which a value may still be missing.
pub(super) struct Found {
    hparams: Result<Box<dyn AnyHyperparameters>>,
    /// The values from files, by the names of their flags.
    pub(super) values: BTreeMap<String, Value>,
    /// The error for a missing value, if there is one.
    missing: Option<anyhow::Error>,
}

impl Found {
    /// Returns the hyperparameters.
    ///
    /// # Errors
    /// If a value is missing or invalid.
    pub(super) fn complete(self) -> Result<Box<dyn AnyHyperparameters>> {
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
pub(super) fn read(
    kind: HyperparameterType,
    of: &'static str,
    flags: &PartFlags,
    saved: Option<(&path::Path, &Value)>,
    files: &mut Configuration,
) -> Result<Found> {
    let saved = saved.and_then(|(path, saved)| Some((path, saved.get(of)?)));
    let mut base = Value::Object(Table::new());
    if let Some((_, saved)) = saved {
        base = saved.clone();
    } else if let Ok(hparams) = (kind.from_arg_matches)(&flags.values.given) {
        if !files.have(of) && flags.choices.iter().all(|choice| choice.flags.is_empty()) {
            return Ok(Found { hparams: Ok(hparams), values: BTreeMap::new(), missing: None });
        }
        base = hparams.json().with_context(|| format!("cannot serialize the {of}'s hyperparameters"))?;
    }
    let mut fields = Fields::new(kind, &flags.values, base);
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
    let missing_choice = add_choices(of, flags, &fields, &mut of_files)?;
    let Value::Object(table) = of_files else { return Err(anyhow!("the configuration's `{of}` is not a table")) };
    let values = fields.overlaid(&fields.base, &table);
    let whose = || match saved {
        Some((path, _)) => format!("the hyperparameters in {} do not fit the {of}", path.display()),
        None => format!("the configuration's `{of}` does not fit the {of}"),
    };
    let mut named = flags.values.name_values(&table);
    let (hparams, missing) = match fields.completed(&values) {
        Ok((hparams, missing)) => (Ok(hparams), missing),
        Err(error) => (Err(anyhow!(error).context(whose())), None),
    };
    let missing = missing_choice.or(missing).map(|path| anyhow!("{}: missing field `{}`", whose(), path.join(".")));
    if let (None, true) = (&missing, hparams.is_ok()) {
        // values whose names differ from those of their flags are present as well; an empty list counts as no value
        let is_list = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append);
        let required = flags.values.args.iter().filter(|arg| arg.is_required_set() && !is_list(arg));
        let required = required.map(|arg| arg.get_id().to_string());
        named.extend(
            required.filter(|id| !named.contains_key(id)).map(|id| (id, Value::Bool(true))).collect::<Vec<_>>(),
        );
    }
    Ok(Found { hparams, values: named, missing })
}

/// Adds the choices on the command line to the values of files, and checks each choice. Returns the path of a required choice that is
/// missing.
///
/// # Errors
/// If a field belongs to another choice or is missing.
fn add_choices(of: &str, flags: &PartFlags, fields: &Fields<'_>, of_files: &mut Value) -> Result<Option<Path>> {
    let mut missing = None;
    for GivenChoice { id, is_required, choices, flags } in &flags.choices {
        let Some(path) = fields.path_of(id) else {
            bail!(
                "the field of the choice `{id}` must have this name when it is serialized: remove `#[serde(rename)]`"
            );
        };
        let flags = &ChoiceFlags { key: format!("{of}.{}", path.join(".")), ..flags.clone() };
        let values = fields.overlaid(&fields.base, of_files.as_object().unwrap_or(&Table::new()));
        let before = path.iter().try_fold(&values, |value, name| value.get(name)).unwrap_or(&Value::Null);
        let Some(value) = choices.complete(before, flags).map_err(|mistake| anyhow!(mistake))? else {
            missing = missing.or(is_required.then_some(path));
            continue;
        };
        if !flags.is_empty() {
            *of_files = fields.with_value(of_files, &path, value);
        }
    }
    Ok(missing)
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
    let nested = table.iter_mut().filter(|(name, _)| !flags.values.is_choice(name));
    nested.for_each(|(_, value)| without_conflicts(flags, value));
}
