use super::Schedule;
use crate::choice::{self, Choice, Documentation};
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

    /// Returns a description of the first invalid field, if there is one.
    pub(crate) fn mistake(&self) -> Option<String> {
        let needs_monitor = matches!(self.scheduler, Schedule::ReduceLrOnPlateau(_)) && self.monitor.is_none();
        let needs_monitor = needs_monitor.then(|| {
            "a ReduceLrOnPlateau watches a logged metric: name it with `LrSchedulerConfig::monitor`".to_owned()
        });
        let frequency =
            (self.frequency == 0).then(|| "`frequency` of a scheduler is 0: it must be at least 1".to_owned());
        let every =
            self.every.and_then(|every| Some(format!("`every` of a scheduler is {every}: {}", every.mistake()?)));
        needs_monitor.or(frequency).or(every)
    }
}
