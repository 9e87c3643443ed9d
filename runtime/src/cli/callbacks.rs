//! Callbacks by flags and configuration files, `--checkpoint.monitor val_acc`, as in Lightning's CLI for a callback that is added with
//! `add_lightning_class_args`.

use super::callback_list::{self, CallbackConfig};
use super::configuration::Configuration;
use crate::callbacks::{EarlyStopping, LearningRateMonitor, ModelCheckpoint};
use crate::choice::{ChoiceFlags, Written, choices_of, dashed};
use crate::config::keys::overlay;
use crate::json;
use crate::module::LightningModule;
use crate::trainer::Trainer;
use crate::yaml::{self, Table, shown};
use anyhow::{Result, anyhow};
use clap::{Arg, ArgMatches};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) const CHECKPOINT: &str = "checkpoint";
pub(super) const EARLY_STOPPING: &str = "early_stopping";
pub(super) const LR_MONITOR: &str = "lr_monitor";

/// The flags of a callback's fields: the key of the callback, the field, the name of the value, and the help.
const FLAGS: [(&str, &str, &str, &str); 20] = [
    (CHECKPOINT, "monitor", "METRIC", "Keep the checkpoints with the best values of this metric"),
    (CHECKPOINT, "mode", "MODE", "Whether the smallest or the largest value is the best: min or max"),
    (CHECKPOINT, "save_top_k", "COUNT", "Keep this number of best checkpoints; -1 keeps all"),
    (CHECKPOINT, "save_last", "BOOL", "Keep the latest checkpoint as last.ckpt; link makes it a symbolic link"),
    (CHECKPOINT, "save_weights_only", "BOOL", "Save only the weights, without the state that resuming requires"),
    (CHECKPOINT, "save_frozen", "BOOL", "Save frozen parameters as well, rather than their checksum alone"),
    (CHECKPOINT, "dirpath", "FOLDER", "The folder of the checkpoints; by default checkpoints in the run's folder"),
    (CHECKPOINT, "filename", "NAME", "The name of the files, such as {epoch}-{val_loss:.2f}"),
    (CHECKPOINT, "every_n_epochs", "EPOCHS", "Save every n epochs"),
    (CHECKPOINT, "every_n_train_steps", "STEPS", "Save every n optimizer steps"),
    (CHECKPOINT, "train_time_interval", "TIME", "Save after this time, DD:HH:MM:SS or such as 1h 30m"),
    (EARLY_STOPPING, "monitor", "METRIC", "Stop when this metric does not improve any more"),
    (EARLY_STOPPING, "mode", "MODE", "Whether smaller or larger values are better: min or max"),
    (EARLY_STOPPING, "patience", "CHECKS", "Stop after this number of checks without an improvement"),
    (EARLY_STOPPING, "min_delta", "VALUE", "The minimum change that counts as an improvement"),
    (EARLY_STOPPING, "stopping_threshold", "VALUE", "Stop when the metric is better than this value"),
    (EARLY_STOPPING, "divergence_threshold", "VALUE", "Stop when the metric is worse than this value"),
    (EARLY_STOPPING, "restore_best", "BOOL", "End with the weights of the best check, rather than the last ones"),
    (LR_MONITOR, "logging_interval", "INTERVAL", "Log learning rates at each logged step or each epoch: step or epoch"),
    (LR_MONITOR, "log_momentum", "BOOL", "Log momenta as well"),
];

/// The sections of files, with the names of their callbacks in the list of callbacks.
pub(super) const SECTIONS: [(&str, &str); 3] =
    [(CHECKPOINT, "model_checkpoint"), (EARLY_STOPPING, "early_stopping"), (LR_MONITOR, "learning_rate_monitor")];

fn id(key: &str, field: &str) -> String {
    format!("{key}.{field}")
}

/// Returns the flags of all callbacks.
pub(super) fn callback_flags() -> impl Iterator<Item = Arg> {
    let named = |id: String, value: &'static str, help: &'static str| {
        let long = dashed(&id);
        let arg = Arg::new(id.clone()).value_name(value).help(help).help_heading("Callbacks");
        let arg = arg.allow_negative_numbers(true);
        // both forms of the section, as `early-stopping.min_delta` has
        let mixed = long.split_once('.').zip(id.split_once('.')).map(|((key, _), (_, field))| format!("{key}.{field}"));
        let mut aliases: Vec<String> = [Some(id), mixed].into_iter().flatten().filter(|alias| *alias != long).collect();
        aliases.dedup();
        let arg = if value == "BOOL" { arg.num_args(0..=1).default_missing_value("true") } else { arg };
        arg.long(long).aliases(aliases)
    };
    let monitor = named(LR_MONITOR.to_owned(), "BOOL", "Log the learning rates");
    let fields = FLAGS.into_iter().map(move |(key, field, value, help)| named(id(key, field), value, help));
    let monitor = monitor.value_parser(["true", "false"]);
    fields.chain([monitor, callback_list::callback_flag()])
}

/// The callbacks of files, which flags override.
pub(super) struct OfFiles {
    sections: [Option<Table>; SECTIONS.len()],
    list: Vec<Value>,
}

impl OfFiles {
    /// Reads the files, to whose mistakes it adds.
    pub(super) fn read(files: &mut Configuration) -> Self {
        Self { sections: SECTIONS.map(|(key, name)| section(files, key, name)), list: callback_list::of_files(files) }
    }
}

/// Returns the fields of a section of all files; `None` without the section, or if a file turns it off.
fn section(files: &mut Configuration, key: &str, name: &str) -> Option<Table> {
    let choices = choices_of::<CallbackConfig>();
    let mut fields = None;
    let mut is_off = false;
    for (value, mistakes) in files.with_mistakes(key) {
        match value {
            Value::Object(_) => match Written::of(key, value, choices.tag, |_| true) {
                Ok(Written { name: Some(other), .. }) if choices.variant(&other).is_none_or(|it| it.name != name) => {
                    mistakes
                        .push(format!("`{key}` must be {name}, but it is {}: write it in `callbacks`", shown(&other)));
                }
                Ok(Written { fields: written, is_class, .. }) => {
                    let (usable, wrong) = choices.sort_out_fields(key, choices.variant(name), &written, is_class);
                    mistakes.extend(wrong);
                    fields.get_or_insert_with(Table::new).extend(usable);
                }
                Err(mistake) => mistakes.push(mistake),
            },
            // true is a callback with its defaults, and false none
            Value::Bool(true) => drop(fields.get_or_insert_with(Table::new)),
            Value::Bool(false) => is_off = true,
            other => {
                let kind = yaml::kind(other);
                mistakes.push(format!("`{key}` must be a table of keys and values, or a boolean, but it is {kind}"));
            }
        }
    }
    fields.filter(|_| !is_off)
}

/// The callbacks that flags and files configure. A missing one is as the program has it.
#[derive(Default, Serialize)]
pub(super) struct CallbackSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Section>,
    #[serde(skip_serializing_if = "Option::is_none")]
    early_stopping: Option<Section>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lr_monitor: Option<Section>,
    /// Callbacks of any type, which are added to those of the program.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    callbacks: Vec<Value>,
}

/// The fields of a callback, with the flags among them.
#[derive(Serialize)]
#[serde(transparent)]
struct Section {
    fields: Table,
    #[serde(skip)]
    flags: ChoiceFlags,
}

impl CallbackSettings {
    /// Reads the flags, which override files.
    ///
    /// # Errors
    /// A value of the wrong type, or a callback of the list whose field is missing.
    pub(super) fn read(explicit: &ArgMatches, files: OfFiles) -> Result<Self> {
        let [checkpoint, early_stopping, lr_monitor] = files.sections;
        let mut read = Self {
            checkpoint: Section::read(CHECKPOINT, checkpoint, explicit)?,
            early_stopping: Section::read(EARLY_STOPPING, early_stopping, explicit)?,
            lr_monitor: Section::read(LR_MONITOR, lr_monitor, explicit)?,
            callbacks: Vec::new(),
        };
        match explicit.try_get_one::<String>(LR_MONITOR).ok().flatten().map(String::as_str) {
            Some("false") => read.lr_monitor = None,
            Some(_) => {
                let default = || Section { fields: Table::new(), flags: ChoiceFlags::none(LR_MONITOR) };
                read.lr_monitor = read.lr_monitor.or_else(|| Some(default()));
            }
            None => {}
        }
        let configured = [&read.checkpoint, &read.early_stopping, &read.lr_monitor];
        let configured = SECTIONS.iter().zip(configured).filter(|(_, section)| section.is_some());
        let configured: Vec<&str> = configured.map(|((_, name), _)| *name).collect();
        read.callbacks = callback_list::with_flags(files.list, explicit, &configured)?;
        Ok(read)
    }

    /// Returns the trainer with these callbacks. One of the program of the same type has its fields overridden.
    ///
    /// # Errors
    /// If a required field is missing.
    pub(super) fn apply<M: LightningModule>(&self, trainer: Trainer<M>) -> Result<Trainer<M>> {
        let mut trainer = callback_list::add(trainer, &self.callbacks)?;
        if let Some(section) = &self.checkpoint
            && let CallbackConfig::ModelCheckpoint(callback) =
                section.callback(CHECKPOINT, trainer.find_callback().map(fields_of_checkpoint))?
        {
            trainer.replace_callback(callback);
        }
        if let Some(section) = &self.early_stopping
            && let CallbackConfig::EarlyStopping(callback) =
                section.callback(EARLY_STOPPING, trainer.find_callback().map(fields_of_early_stopping))?
        {
            trainer.replace_callback(callback);
        }
        if let Some(section) = &self.lr_monitor
            && let CallbackConfig::LearningRateMonitor(callback) =
                section.callback(LR_MONITOR, trainer.find_callback().map(fields_of_lr_monitor))?
        {
            trainer.replace_callback(callback);
        }
        Ok(trainer)
    }
}

// not in the function with a type parameter, as each program would compile them

fn fields_of_checkpoint(callback: &ModelCheckpoint) -> serde_json::Result<Value> {
    json::to_value(callback)
}

fn fields_of_early_stopping(callback: &EarlyStopping) -> serde_json::Result<Value> {
    json::to_value(callback)
}

fn fields_of_lr_monitor(callback: &LearningRateMonitor) -> serde_json::Result<Value> {
    json::to_value(callback)
}

impl Section {
    /// Returns the callback with the fields of the section in place of those of `base`, the program's callback of the same type.
    ///
    /// # Errors
    /// If a required field is missing.
    fn callback(&self, key: &str, base: Option<serde_json::Result<Value>>) -> Result<CallbackConfig> {
        let callback = overlay(&base.transpose()?.unwrap_or_else(|| json!({})), &self.fields);
        let choices = choices_of::<CallbackConfig>();
        let named = Table::from_iter([(choices.tag.to_owned(), name_of(key).into())]);
        let callback = overlay(&callback, &named);
        choices.check_complete(&self.flags, &callback).map_err(|mistake| anyhow!(mistake))?;
        callback_list::read(&callback)
    }

    /// Returns the fields of the files with those of the flags; `None` without either.
    fn read(key: &'static str, of_files: Option<Table>, explicit: &ArgMatches) -> Result<Option<Self>> {
        let choices = choices_of::<CallbackConfig>();
        let variant = choices.variant(name_of(key));
        let mut flags = ChoiceFlags { long: dashed(key), ..ChoiceFlags::none(key) };
        let mut fields = of_files;
        for (_, field, ..) in FLAGS.iter().filter(|(of, ..)| *of == key) {
            let Some(text) = explicit.try_get_one::<String>(&id(key, field)).ok().flatten() else { continue };
            let Some((variant, known)) = variant.and_then(|variant| Some((variant, variant.field(field)?))) else {
                continue;
            };
            let flag = format!("--{}", dashed(&id(key, field)));
            let value = choices.read_flag(variant, known, &flag, text).map_err(|mistake| anyhow!(mistake))?;
            flags.fields.push(((*field).to_owned(), text.clone()));
            fields.get_or_insert_with(Table::new).insert(known.name.clone(), value);
        }
        Ok(fields.map(|fields| Self { fields, flags }))
    }
}

fn name_of(key: &str) -> &'static str {
    SECTIONS.iter().find(|(section, _)| *section == key).map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_callbacks_are_their_fields() {
        for (key, callback) in [
            (CHECKPOINT, json::to_value(&ModelCheckpoint::new()).unwrap()),
            (EARLY_STOPPING, json::to_value(&EarlyStopping::new("loss")).unwrap()),
            (LR_MONITOR, json::to_value(&LearningRateMonitor::new()).unwrap()),
        ] {
            for (_, field, ..) in FLAGS.iter().filter(|(of, ..)| *of == key) {
                assert!(callback.get(field).is_some(), "{key}.{field}");
            }
        }
    }
}
