use super::{Schedule, ScheduleError};
use crate::choice::{self, Choice, Documentation, FieldMistake};
use crate::every::Every;
use clap::builder::ValueParserFactory;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A schedule, and when it steps in training: Lightning's
/// [`lr_scheduler_config`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#configure-optimizers).
///
/// ```
/// use tch_lightning::schedule::{CosineAnnealingLr, Interval, LrSchedulerConfig, ReduceLrOnPlateau};
/// use tch_lightning::Every;
///
/// let each_epoch = LrSchedulerConfig::from(CosineAnnealingLr::new(100));
/// let each_step = LrSchedulerConfig::from(CosineAnnealingLr::new(10_000)).interval(Interval::Step);
/// let by_loss = LrSchedulerConfig::from(ReduceLrOnPlateau::default()).monitor("val_loss");
/// let now_and_then = LrSchedulerConfig::from(CosineAnnealingLr::new(50)).every(Every::OptimizerSteps(100));
/// assert_eq!(each_epoch.frequency, 1);
/// ```
///
/// It is a [`Choice`], so that it can be a hyperparameter: `--lr-scheduler cosine_annealing --lr-scheduler.t-max 100`. Its serialized form
/// is that of the schedule with these fields, of which [`name`](field@Self::name) is called `log_name`:
/// `{name: cosine_annealing, t_max: 100, interval: step}`. Without a field `lr_scheduler` in the hyperparameters, the generated program
/// has these flags, which replace the schedulers of `configure_optimizers` together with `--optimizer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct LrSchedulerConfig {
    /// The schedule.
    #[serde(flatten)]
    pub scheduler: Schedule,
    /// Whether the scheduler steps after optimizer steps or after epochs. Default epochs.
    #[serde(default)]
    pub interval: Interval,
    /// The number of optimizer steps or epochs between two steps of the scheduler. With [`Interval::Step`] it steps after
    /// those batches of an epoch after which the optimizer steps and whose number, from 1, is a multiple of this. Default 1.
    #[serde(default = "one")]
    pub frequency: usize,
    /// The interval between steps, in place of `interval` and `frequency`. Default none.
    #[serde(default)]
    pub every: Option<Every>,
    /// The name of the logged metric for a [`ReduceLrOnPlateau`](super::ReduceLrOnPlateau).
    #[serde(default)]
    pub monitor: Option<String>,
    /// Whether it is an error if the metric was not logged. Default true.
    #[serde(default = "yes")]
    pub strict: bool,
    /// The name under which a learning-rate monitor logs the rate. Default `lr-` and the optimizer's name.
    // `name` is that of the schedule
    #[serde(default, rename = "log_name")]
    pub name: Option<String>,
}

/// The event after which a scheduler steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Interval {
    /// Optimizer steps.
    Step,
    /// Training epochs.
    #[default]
    Epoch,
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

/// The schedule, whatever its type.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnySchedule {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a schedule is made into a configuration by `from` [TL0006]",
    label = "write `LrSchedulerConfig::from(StepLr::new(30)).interval(Interval::Step)`"
)]
pub trait IsMadeByNew {}

impl LrSchedulerConfig {
    #[doc(hidden)]
    pub fn new(scheduler: impl Into<Schedule>) -> Self
    where
        for<'any> AnySchedule: IsMadeByNew,
    {
        scheduler.into().into()
    }
}

impl<S: Into<Schedule>> From<S> for LrSchedulerConfig {
    fn from(scheduler: S) -> Self {
        Self {
            scheduler: scheduler.into(),
            interval: Interval::Epoch,
            frequency: 1,
            every: None,
            monitor: None,
            strict: true,
            name: None,
        }
    }
}

impl Choice for LrSchedulerConfig {
    fn documentation(&self) -> Documentation {
        self.scheduler.documentation()
    }

    fn mistake(&self) -> Option<FieldMistake> {
        out_of_range(&self.scheduler, "").or_else(|| self.field_mistake())
    }
}

impl ValueParserFactory for LrSchedulerConfig {
    type Parser = fn(&str) -> Result<Self, String>;

    fn value_parser() -> Self::Parser {
        choice::parser()
    }
}

impl fmt::Display for LrSchedulerConfig {
    /// The value of a flag: the name of the schedule, or a table in JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&choice::shown_value(self))
    }
}

impl LrSchedulerConfig {
    /// Sets whether the scheduler steps after optimizer steps or after epochs.
    pub fn interval(self, interval: Interval) -> Self {
        Self { interval, ..self }
    }

    /// Sets the number of optimizer steps or epochs between two steps of the scheduler.
    pub fn frequency(self, frequency: usize) -> Self {
        Self { frequency, ..self }
    }

    /// Sets the interval between steps, in place of `interval` and `frequency`.
    pub fn every(self, every: Every) -> Self {
        Self { every: Some(every), ..self }
    }

    /// Sets the name of the logged metric for a [`ReduceLrOnPlateau`](super::ReduceLrOnPlateau).
    pub fn monitor(self, monitor: impl Into<String>) -> Self {
        Self { monitor: Some(monitor.into()), ..self }
    }

    /// Sets whether it is an error if the metric was not logged.
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Sets the name under which a learning-rate monitor logs the rate.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Returns the first field of the interval or the metric that is invalid.
    fn field_mistake(&self) -> Option<FieldMistake> {
        if self.scheduler.needs_metric() && self.monitor.is_none() {
            let mistake = "is required for reduce_lr_on_plateau: the name of a logged metric";
            return Some(FieldMistake::new("monitor", mistake));
        }
        if self.monitor.as_ref().is_some_and(String::is_empty) {
            return Some(FieldMistake::new("monitor", "must be the name of a logged metric, but it is empty"));
        }
        if self.frequency == 0 {
            return Some(FieldMistake::new("frequency", "must be 1 or more, but it is 0"));
        }
        let every = self.every?;
        Some(FieldMistake::new("every", format!("is {every}: {}", every.mistake()?)))
    }

    /// Returns a description of the first invalid field outside of the schedule, if there is one.
    pub(crate) fn mistake_in_code(&self) -> Option<String> {
        Some(self.field_mistake()?.in_code("`LrSchedulerConfig`"))
    }
}

/// Returns the first field of a schedule that is out of range, at this path, which ends in a dot unless it is empty.
fn out_of_range(schedule: &Schedule, path: &str) -> Option<FieldMistake> {
    let parts = match schedule {
        Schedule::SequentialLr(sequential) => &sequential.schedulers,
        Schedule::ChainedScheduler(chained) => &chained.schedulers,
        _ => &Vec::new(),
    };
    let of_part = |(index, part)| out_of_range(part, &format!("{path}schedulers.{index}."));
    if let Some(mistake) = parts.iter().enumerate().find_map(of_part) {
        return Some(mistake);
    }
    let (field, mistake) = match schedule.validate().err()? {
        ScheduleError::Hyperparameter { name, value, expected, .. } => {
            (name.to_owned(), format!("must be {expected}, but it is {value}"))
        }
        ScheduleError::Composition { index, part, reason, .. } => {
            (format!("schedulers.{index}"), format!("is {part}, which {reason}"))
        }
        ScheduleError::Empty { .. } => ("schedulers".to_owned(), "must have at least one scheduler".to_owned()),
        error if path.is_empty() => return Some(FieldMistake::new("", error.to_string())),
        error => return Some(FieldMistake::new(path.trim_end_matches('.'), format!("is invalid: {error}"))),
    };
    Some(FieldMistake::new(format!("{path}{field}"), mistake))
}
