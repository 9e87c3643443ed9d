//! The rules for a configuration, with one clause of a sentence for each violation.

use super::TrainerConfig;
use crate::profiler::{Profiler, TraceSchedule};

/// Returns every mistake, in the order of the fields.
pub(super) fn of(config: &TrainerConfig) -> Vec<String> {
    let no_limit = |name: &str, value: Option<i64>| {
        let value = value.filter(|value| *value < -1)?;
        Some(format!("`{name}` is {value}: it must be 0 or more, or -1 for no limit"))
    };
    let limit = |name: &str, limit: super::BatchLimit| Some(format!("`{name}` is {}", limit.mistake()?));
    let at_least_one = |name: &str, count: usize| (count == 0).then(|| format!("`{name}` is 0: it must be at least 1"));
    let mistakes = [
        no_limit("max_epochs", config.max_epochs),
        no_limit("max_steps", config.max_steps),
        limit("limit_train_batches", config.limit_train_batches),
        limit("limit_val_batches", config.limit_val_batches),
        limit("limit_test_batches", config.limit_test_batches),
        limit("limit_predict_batches", config.limit_predict_batches),
        limit("overfit_batches", config.overfit_batches),
        config.val_check_interval.mistake().map(|mistake| format!("`val_check_interval` is {mistake}")),
        config.check_val_every_n_epoch.and_then(|epochs| at_least_one("check_val_every_n_epoch", epochs)),
        no_limit("num_sanity_val_steps", Some(config.num_sanity_val_steps)),
        at_least_one("accumulate_grad_batches", config.accumulate_grad_batches),
        gradient_clip_val(config),
        at_least_one("log_every_n_steps", config.log_every_n_steps),
        config.logger.mistake(),
        config.devices.mistake().map(|mistake| format!("`devices` is {mistake}")),
        at_least_one("num_nodes", config.num_nodes),
        config.strategy.mistake(),
        across_epochs(config),
        profiler(config),
        dashboard(config),
    ];
    mistakes.into_iter().flatten().collect()
}

fn gradient_clip_val(config: &TrainerConfig) -> Option<String> {
    let value = config.gradient_clip_val.filter(|value| !value.is_finite() || *value < 0.0)?;
    Some(format!("`gradient_clip_val` is {value}: it must be a finite number of 0 or more"))
}

fn profiler(config: &TrainerConfig) -> Option<String> {
    let is_empty = matches!(config.profiler, Some(Profiler::Trace(TraceSchedule { active: 0, .. })));
    is_empty.then(|| "`active` of the `profiler` is 0: a trace needs at least one step".to_owned())
}

fn dashboard(config: &TrainerConfig) -> Option<String> {
    let is_missing = config.dashboard && !cfg!(feature = "dashboard");
    is_missing
        .then(|| "`dashboard` is true: build the program with the feature `dashboard` of tch-lightning".to_owned())
}

/// A fraction of an epoch cannot be counted across epochs.
fn across_epochs(config: &TrainerConfig) -> Option<String> {
    let is_part = matches!(config.val_check_interval, super::ValCheckInterval::Fraction(part) if part != 1.0);
    (is_part && config.check_val_every_n_epoch.is_none()).then(|| {
        "`val_check_interval` is a fraction of an epoch, and `check_val_every_n_epoch` is none: give a number of batches, \
         or a number of epochs"
            .to_owned()
    })
}
