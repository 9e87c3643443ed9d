//! Callbacks in a list, as in Lightning's CLI: `trainer: {callbacks: [gradient_monitor]}` in a configuration file, `--callback timer`.

use super::callbacks::SECTIONS;
use super::configuration::Configuration;
use crate::callbacks::{
    DeviceStatsMonitor, EarlyStopping, ExponentialMovingAverage, GradientMonitor, LearningRateMonitor, ModelCheckpoint,
    OnExceptionCheckpoint, StochasticWeightAveraging, ThroughputMonitor, Timer,
};
use crate::choice::{Choice, ChoiceFlags, Documentation, FieldMistake, choices_of, dashed, name_flag};
use crate::json;
use crate::module::LightningModule;
use crate::trainer::Trainer;
use crate::yaml::Table;
use anyhow::{Result, anyhow};
use clap::{Arg, ArgAction, ArgMatches};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) const CALLBACKS: &str = "callbacks";

/// A callback with its fields.
#[derive(Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(super) enum CallbackConfig {
    ModelCheckpoint(ModelCheckpoint),
    EarlyStopping(EarlyStopping),
    LearningRateMonitor(LearningRateMonitor),
    GradientMonitor(GradientMonitor),
    DeviceStatsMonitor(DeviceStatsMonitor),
    ThroughputMonitor {},
    StochasticWeightAveraging(StochasticWeightAveraging),
    #[serde(alias = "EMAWeightAveraging")]
    ExponentialMovingAverage(ExponentialMovingAverage),
    Timer(Timer),
    OnExceptionCheckpoint(OnExceptionCheckpoint),
}

// not derived: the ranges are checked as well
impl Choice for CallbackConfig {
    fn documentation(&self) -> Documentation {
        let about = match self {
            Self::ModelCheckpoint(_) => "Write checkpoints",
            Self::EarlyStopping(_) => "Stop when a metric does not improve any more",
            Self::LearningRateMonitor(_) => "Log learning rates",
            Self::GradientMonitor(_) => "Log norms of gradients",
            Self::DeviceStatsMonitor(_) => "Log the use of the processor and the GPU",
            Self::ThroughputMonitor {} => "Log batches and samples per second",
            Self::StochasticWeightAveraging(_) => "Average the weights of the last epochs",
            Self::ExponentialMovingAverage(_) => "Average weights exponentially",
            Self::Timer(_) => "Stop after a time",
            Self::OnExceptionCheckpoint(_) => "Write a checkpoint when the run fails",
        };
        Documentation { about, fields: &[] }
    }

    fn mistake(&self) -> Option<FieldMistake> {
        match self {
            Self::ModelCheckpoint(callback) => callback.mistake(),
            Self::EarlyStopping(callback) => callback.mistake(),
            Self::StochasticWeightAveraging(callback) => callback.mistake(),
            Self::ExponentialMovingAverage(callback) => callback.mistake(),
            Self::OnExceptionCheckpoint(callback) => callback.mistake(),
            _ => None,
        }
    }
}

/// Returns the flag that adds a callback with its defaults.
pub(super) fn callback_flag() -> Arg {
    let arg =
        Arg::new(CALLBACKS).long("callback").aliases(["callbacks", "trainer.callbacks"]).help_heading("Callbacks");
    let arg = arg.help("Add this callback; a configuration file has its fields: `callbacks: [{name: …}]`");
    name_flag(arg, choices_of::<CallbackConfig>()).action(ArgAction::Append).value_delimiter(',')
}

/// Returns the callbacks of the last file that has some, to whose mistakes it adds.
pub(super) fn of_files(files: &mut Configuration) -> Vec<Value> {
    let choices = choices_of::<CallbackConfig>();
    let mut callbacks = Vec::new();
    for (value, mistakes) in files.with_mistakes(CALLBACKS) {
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        callbacks.clear();
        for (index, item) in items.iter().enumerate() {
            let path = if value.is_array() { format!("{CALLBACKS}.{index}") } else { CALLBACKS.to_owned() };
            let (table, wrong) = choices.sort_out_item(&path, item);
            mistakes.extend(wrong);
            callbacks.push(Value::Object(table));
        }
    }
    callbacks
}

/// Adds the callbacks of the flags to those of files, and checks all of them. Those that a section has `configured` are not added again.
///
/// # Errors
/// If a field is missing.
pub(super) fn with_flags(mut callbacks: Vec<Value>, explicit: &ArgMatches, configured: &[&str]) -> Result<Vec<Value>> {
    let choices = choices_of::<CallbackConfig>();
    for (index, callback) in callbacks.iter().enumerate() {
        let of_file = ChoiceFlags::none(format!("{CALLBACKS}.{index}"));
        choices.check_complete(&of_file, callback).map_err(|mistake| anyhow!(mistake))?;
    }
    let of_flags = explicit.try_get_many::<String>(CALLBACKS).ok().flatten().into_iter().flatten();
    for name in of_flags.filter(|name| !configured.contains(&name.as_str())) {
        let callback = Table::from_iter([(choices.tag.to_owned(), name.clone().into())]);
        let missing = choices.variant(name).and_then(|variant| variant.missing(&callback));
        if let Some(field) = missing {
            return Err(anyhow!("`--callback {name}` requires `{field}`: {}", where_to_write(name, field)));
        }
        callbacks.push(Value::Object(callback));
    }
    let mut duplicates =
        callbacks.iter().enumerate().filter(|(index, callback)| callbacks[..*index].contains(callback));
    if let Some(name) = duplicates.find_map(|(_, callback)| callback[choices.tag].as_str()) {
        return Err(anyhow!("{name} is twice in the callbacks, with the same fields: remove one of them"));
    }
    Ok(callbacks)
}

/// Returns how a required field of a callback is written, which `--callback` does not have.
fn where_to_write(name: &str, field: &str) -> String {
    match SECTIONS.iter().find(|(_, callback)| *callback == name) {
        Some((section, _)) => format!("add `--{}.{}`", dashed(section), dashed(field)),
        None => format!("write `{CALLBACKS}: [{{name: {name}, {field}: …}}]` in a configuration file"),
    }
}

/// Reads a callback with its fields. Not in a function with type parameters, as each program would compile it.
pub(super) fn read(callback: &Value) -> Result<CallbackConfig> {
    Ok(json::from_value(callback)?)
}

/// Returns the trainer with these callbacks.
///
/// # Errors
/// If a callback's fields are invalid.
pub(super) fn add<M: LightningModule>(trainer: Trainer<M>, callbacks: &[Value]) -> Result<Trainer<M>> {
    callbacks.iter().try_fold(trainer, |trainer, callback| {
        Ok(match read(callback)? {
            CallbackConfig::ModelCheckpoint(callback) => trainer.callback(callback),
            CallbackConfig::EarlyStopping(callback) => trainer.callback(callback),
            CallbackConfig::LearningRateMonitor(callback) => trainer.callback(callback),
            CallbackConfig::GradientMonitor(callback) => trainer.callback(callback),
            CallbackConfig::DeviceStatsMonitor(callback) => trainer.callback(callback),
            CallbackConfig::ThroughputMonitor {} => trainer.callback(ThroughputMonitor::<M::Batch>::new()),
            CallbackConfig::StochasticWeightAveraging(callback) => trainer.callback(callback),
            CallbackConfig::ExponentialMovingAverage(callback) => trainer.callback(callback),
            CallbackConfig::Timer(callback) => trainer.callback(callback),
            CallbackConfig::OnExceptionCheckpoint(callback) => trainer.callback(callback),
        })
    })
}
