//! Callbacks by flags and configuration files, `--checkpoint.monitor val_acc`, as in Lightning's CLI for a callback that is added with
//! `add_lightning_class_args`.

use super::callback_list;
use super::configuration::Configuration;
use crate::callbacks::{EarlyStopping, LearningRateMonitor, ModelCheckpoint};
use crate::config::keys::overlay;
use crate::json;
use crate::module::{Callback, LightningModule};
use crate::trainer::Trainer;
use crate::yaml::{self, Table, in_one_line};
use anyhow::{Result, anyhow};
use clap::{Arg, ArgMatches};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(super) const CHECKPOINT: &str = "checkpoint";
pub(super) const EARLY_STOPPING: &str = "early_stopping";
pub(super) const LR_MONITOR: &str = "lr_monitor";

/// The flags of a callback's fields: the key of the callback, the field, the name of the value, and the help.
const FLAGS: [(&str, &str, &str, &str); 18] = [
    (CHECKPOINT, "monitor", "METRIC", "Keep the checkpoints with the best values of this metric"),
    (CHECKPOINT, "mode", "MODE", "Whether the smallest or the largest value is the best: min or max"),
    (CHECKPOINT, "save_top_k", "COUNT", "Keep this number of best checkpoints; -1 keeps all"),
    (CHECKPOINT, "save_last", "BOOL", "Keep the latest checkpoint as last.ckpt; link makes it a symbolic link"),
    (CHECKPOINT, "save_weights_only", "BOOL", "Save only the weights, without the state that resuming requires"),
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
    (LR_MONITOR, "logging_interval", "INTERVAL", "Log learning rates at each logged step or each epoch: step or epoch"),
    (LR_MONITOR, "log_momentum", "BOOL", "Log momenta as well"),
];

/// Fields whose values are text, even if they look like a number.
const TEXTS: [&str; 4] = ["monitor", "dirpath", "filename", "train_time_interval"];

fn id(key: &str, field: &str) -> String {
    format!("{key}.{field}")
}

/// Returns the flags of all callbacks.
pub(super) fn callback_flags() -> impl Iterator<Item = Arg> {
    let named = |id: String, value: &'static str, help: &'static str| {
        let long = id.replace('_', "-");
        let arg = Arg::new(id.clone()).value_name(value).help(help).help_heading("Callbacks");
        let arg = arg.allow_negative_numbers(true);
        // both forms of the section, as `early-stopping.min_delta` has
        let mixed = long.split_once('.').zip(id.split_once('.')).map(|((key, _), (_, field))| format!("{key}.{field}"));
        let mut aliases: Vec<String> = [Some(id), mixed].into_iter().flatten().filter(|alias| *alias != long).collect();
        aliases.dedup();
        arg.long(long).aliases(aliases)
    };
    let monitor = named(LR_MONITOR.to_owned(), "BOOL", "Log the learning rates").num_args(0..=1);
    let fields = FLAGS.into_iter().map(move |(key, field, value, help)| named(id(key, field), value, help));
    let monitor = monitor.value_parser(["true", "false"]).default_missing_value("true");
    fields.chain([monitor, callback_list::callback_flag()])
}

/// The callbacks that flags and files configure. A missing one is as the program has it.
#[derive(Default, Serialize)]
pub(super) struct CallbackSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    early_stopping: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lr_monitor: Option<Value>,
    /// Callbacks of any type, which are added to those of the program.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    callbacks: Vec<Value>,
}

impl CallbackSettings {
    /// Reads the flags and the files, of which `callbacks` is the list. Flags override files.
    ///
    /// # Errors
    /// A field that does not exist, or a value of the wrong type.
    pub(super) fn read(explicit: &ArgMatches, files: &Configuration, callbacks: Vec<Value>) -> Result<Self> {
        let settings = |key: &'static str| {
            let mut settings = None;
            let mut add = |table: &Table| {
                settings = Some(overlay(settings.as_ref().unwrap_or(&Value::Null), table));
            };
            for value in files.values(key) {
                match value {
                    Value::Object(table) => add(table),
                    // true is a callback with its defaults, and false none
                    Value::Bool(true) => add(&Table::new()),
                    Value::Bool(false) => return Ok(None),
                    other => {
                        let kind = yaml::kind(other);
                        return Err(anyhow!(
                            "`{key}` must be a table of keys and values, or a boolean, but it is {kind}"
                        ));
                    }
                }
            }
            let flags = FLAGS.iter().filter(|(of, ..)| *of == key).filter_map(|(_, field, ..)| {
                let text = explicit.try_get_one::<String>(&id(key, field)).ok().flatten()?;
                Some(((*field).to_owned(), value(field, text)))
            });
            let flags = Table::from_iter(flags);
            if !flags.is_empty() {
                add(&flags);
            }
            Ok(settings)
        };
        let mut read = Self {
            checkpoint: settings(CHECKPOINT)?,
            early_stopping: settings(EARLY_STOPPING)?,
            lr_monitor: settings(LR_MONITOR)?,
            callbacks: callback_list::with_flags(callbacks, explicit)?,
        };
        match explicit.try_get_one::<String>(LR_MONITOR).ok().flatten().map(String::as_str) {
            Some("false") => read.lr_monitor = None,
            Some(_) => read.lr_monitor = read.lr_monitor.or_else(|| Some(json!({}))),
            None => {}
        }
        // the program may have a callback with a metric, so that it need not be given
        configured::<ModelCheckpoint>(CHECKPOINT, json!({}), read.checkpoint.as_ref())?;
        configured::<EarlyStopping>(EARLY_STOPPING, json!({ "monitor": "" }), read.early_stopping.as_ref())?;
        configured::<LearningRateMonitor>(LR_MONITOR, json!({}), read.lr_monitor.as_ref())?;
        Ok(read)
    }

    /// Returns the trainer with these callbacks. One of the program of the same type has its fields overridden.
    pub(super) fn apply<M: LightningModule>(&self, trainer: Trainer<M>) -> Result<Trainer<M>> {
        let trainer = callback_list::add(trainer, &self.callbacks)?;
        let trainer = with::<M, ModelCheckpoint>(trainer, CHECKPOINT, self.checkpoint.as_ref())?;
        let trainer = with::<M, EarlyStopping>(trainer, EARLY_STOPPING, self.early_stopping.as_ref())?;
        with::<M, LearningRateMonitor>(trainer, LR_MONITOR, self.lr_monitor.as_ref())
    }
}

/// Returns the value of a flag, which its field checks.
fn value(field: &str, text: &str) -> Value {
    let read = if TEXTS.contains(&field) { None } else { serde_json::from_str(text).ok() };
    read.unwrap_or_else(|| text.into())
}

/// Returns a callback with the settings in place of the values of its base; `None` without settings.
fn configured<C: DeserializeOwned>(key: &str, base: Value, settings: Option<&Value>) -> Result<Option<C>> {
    let Some(Value::Object(table)) = settings else { return Ok(None) };
    let callback = json::from_value(&overlay(&base, table));
    callback.map(Some).map_err(|error| anyhow!("invalid `{key}`: {}", in_one_line(&error.to_string())))
}

fn with<M, C>(mut trainer: Trainer<M>, key: &str, settings: Option<&Value>) -> Result<Trainer<M>>
where
    M: LightningModule,
    C: Callback<M> + Serialize + DeserializeOwned + 'static,
{
    let base = trainer.find_callback::<C>().map(json::to_value).transpose()?;
    if let Some(callback) = configured::<C>(key, base.unwrap_or_else(|| json!({})), settings)? {
        trainer.replace_callback(callback);
    }
    Ok(trainer)
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
