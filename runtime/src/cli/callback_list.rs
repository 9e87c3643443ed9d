//! Callbacks in a list, as in Lightning's CLI: `trainer: {callbacks: [gradient_monitor]}` in a configuration file, `--callback timer`.

use super::configuration::Configuration;
use crate::callbacks::{
    DeviceStatsMonitor, EarlyStopping, ExponentialMovingAverage, GradientMonitor, LearningRateMonitor, ModelCheckpoint,
    OnExceptionCheckpoint, StochasticWeightAveraging, ThroughputMonitor, Timer,
};
use crate::choice::{Choice, choices_of, name_flag};
use crate::json;
use crate::module::LightningModule;
use crate::trainer::Trainer;
use anyhow::{Result, anyhow};
use clap::{Arg, ArgAction, ArgMatches};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) const CALLBACKS: &str = "callbacks";

/// A callback with its fields.
#[derive(Choice, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
enum CallbackConfig {
    /// Write checkpoints.
    ModelCheckpoint(ModelCheckpoint),
    /// Stop when a metric does not improve any more.
    EarlyStopping(EarlyStopping),
    /// Log learning rates.
    LearningRateMonitor(LearningRateMonitor),
    /// Log norms of gradients.
    GradientMonitor(GradientMonitor),
    /// Log the use of the processor and the GPU.
    DeviceStatsMonitor(DeviceStatsMonitor),
    /// Log batches and samples per second.
    ThroughputMonitor {},
    /// Average the weights of the last epochs.
    StochasticWeightAveraging(StochasticWeightAveraging),
    /// Average weights exponentially.
    #[serde(alias = "EMAWeightAveraging")]
    ExponentialMovingAverage(ExponentialMovingAverage),
    /// Stop after a time.
    Timer(Timer),
    /// Write a checkpoint when the run fails.
    OnExceptionCheckpoint(OnExceptionCheckpoint),
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
            let (table, wrong) = choices.sort_out(&format!("{CALLBACKS}.{index}"), item);
            mistakes.extend(wrong);
            callbacks.push(Value::Object(table));
        }
    }
    callbacks
}

/// Adds the callbacks of the flags to those of files, and checks all of them.
///
/// # Errors
/// If a field is missing.
pub(super) fn with_flags(mut callbacks: Vec<Value>, explicit: &ArgMatches) -> Result<Vec<Value>> {
    let choices = choices_of::<CallbackConfig>();
    let of_flags = explicit.try_get_many::<String>(CALLBACKS).ok().flatten().into_iter().flatten();
    callbacks.extend(of_flags.map(|name| json!({ choices.tag: name })));
    for callback in &callbacks {
        choices.check_complete("callback", callback).map_err(|mistake| anyhow!(mistake))?;
    }
    Ok(callbacks)
}

/// Returns the trainer with these callbacks.
///
/// # Errors
/// If a callback's fields are invalid.
pub(super) fn add<M: LightningModule>(trainer: Trainer<M>, callbacks: &[Value]) -> Result<Trainer<M>> {
    callbacks.iter().try_fold(trainer, |trainer, callback| {
        Ok(match json::from_value(callback)? {
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
