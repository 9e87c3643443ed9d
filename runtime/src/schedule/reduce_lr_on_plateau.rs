use serde::{Deserialize, Serialize};

use super::error::{require, require_finite};
use super::groups::ParameterGroupRates;
use super::state::{PlateauState, SchedulerState};
use super::{PerGroup, ScheduleError};

/// Reduces the rate when a metric has stopped improving:
/// [`torch.optim.lr_scheduler.ReduceLROnPlateau`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html).
///
/// A step requires the value of the metric: see [`LrScheduler::step_with_metric`](super::LrScheduler::step_with_metric). A
/// step with a metric that is NaN or not better than the best so far is a bad step.
///
/// ```
/// use tch_lightning::schedule::{PlateauMode, ReduceLrOnPlateau};
///
/// let on_accuracy = ReduceLrOnPlateau::default().mode(PlateauMode::Max).patience(3);
/// assert_eq!((on_accuracy.factor, on_accuracy.threshold), (0.1, 1e-4));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ReduceLrOnPlateau {
    /// Whether smaller or larger is better. Default [`PlateauMode::Min`].
    pub mode: PlateauMode,
    /// The factor of a reduction, below 1. Default 0.1.
    pub factor: f64,
    /// The number of consecutive bad steps that are tolerated; at the next one the rate is reduced. Default 10.
    pub patience: u64,
    /// The smallest change of the metric that counts as an improvement. Default 1e-4.
    pub threshold: f64,
    /// Whether the threshold is relative or absolute. Default [`ThresholdMode::Rel`].
    pub threshold_mode: ThresholdMode,
    /// The number of steps after a reduction that do not count as bad. Default 0.
    pub cooldown: u64,
    /// The lower bound of the rate. Default 0.
    pub min_lr: PerGroup<f64>,
    /// A reduction that is not larger than this is skipped. Default 1e-8.
    pub eps: f64,
}

/// The direction in which a metric of [`ReduceLrOnPlateau`] improves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlateauMode {
    /// Smaller metrics are better.
    #[default]
    Min,
    /// Larger metrics are better.
    Max,
}

/// A mode, which is a text in PyTorch.
#[diagnostic::on_unimplemented(
    message = "`mode` is a `PlateauMode`, not `{Self}` [TL0006]",
    label = "write `PlateauMode::Min` or `PlateauMode::Max`, of `tch_lightning::schedule`"
)]
pub trait IntoPlateauMode {
    /// Returns the mode.
    fn into_mode(self) -> PlateauMode;
}

#[diagnostic::do_not_recommend]
impl IntoPlateauMode for PlateauMode {
    fn into_mode(self) -> PlateauMode {
        self
    }
}

impl PlateauMode {
    /// The value that every metric is better than.
    fn worst(self) -> f64 {
        match self {
            Self::Min => f64::INFINITY,
            Self::Max => f64::NEG_INFINITY,
        }
    }
}

/// The meaning of a [`ReduceLrOnPlateau`]'s threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ThresholdMode {
    /// Relative to the best metric: below `best * (1 - threshold)`, or above `best * (1 + threshold)`, is better.
    #[default]
    Rel,
    /// Absolute: below `best - threshold`, or above `best + threshold`, is better.
    Abs,
}

impl Default for ReduceLrOnPlateau {
    fn default() -> Self {
        Self {
            mode: PlateauMode::default(),
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::default(),
            cooldown: 0,
            min_lr: PerGroup::All(0.0),
            eps: 1e-8,
        }
    }
}

impl ReduceLrOnPlateau {
    /// Sets whether smaller or larger is better.
    pub fn mode(self, mode: impl IntoPlateauMode) -> Self {
        Self { mode: mode.into_mode(), ..self }
    }

    /// Sets the factor of a reduction.
    pub fn factor(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// Sets the number of consecutive bad steps that are tolerated.
    pub fn patience(self, patience: u64) -> Self {
        Self { patience, ..self }
    }

    /// Sets the smallest change of the metric that counts as an improvement.
    pub fn threshold(self, threshold: f64) -> Self {
        Self { threshold, ..self }
    }

    /// Sets whether the threshold is relative or absolute.
    pub fn threshold_mode(self, threshold_mode: ThresholdMode) -> Self {
        Self { threshold_mode, ..self }
    }

    /// Sets the number of steps after a reduction that do not count as bad.
    pub fn cooldown(self, cooldown: u64) -> Self {
        Self { cooldown, ..self }
    }

    /// Sets the lower bound of the rate.
    pub fn min_lr(self, min_lr: impl Into<PerGroup<f64>>) -> Self {
        Self { min_lr: min_lr.into(), ..self }
    }

    /// Sets the size that a reduction must exceed.
    pub fn eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    pub(super) fn validate(&self) -> Result<(), ScheduleError> {
        let holds = self.factor < 1.0 && self.factor.is_finite();
        require(holds, NAME, "factor", self.factor, "a finite number below 1")?;
        require_finite(NAME, "threshold", self.threshold)?;
        self.min_lr.require_finite(NAME, "min_lr")?;
        require_finite(NAME, "eps", self.eps)
    }

    fn is_better(&self, metric: f64, best: f64) -> bool {
        match (self.mode, self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => metric < best * (1.0 - self.threshold),
            (PlateauMode::Min, ThresholdMode::Abs) => metric < best - self.threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => metric > best * (self.threshold + 1.0),
            (PlateauMode::Max, ThresholdMode::Abs) => metric > best + self.threshold,
        }
    }

    fn reduce(&self, rates: &mut dyn ParameterGroupRates) {
        for group in 0..rates.groups() {
            let lr = rates.lr(group);
            let reduced = (lr * self.factor).max(*self.min_lr.of(group));
            if lr - reduced > self.eps {
                rates.set_lr(group, reduced);
            }
        }
    }
}

impl From<ReduceLrOnPlateau> for super::Schedule {
    fn from(plateau: ReduceLrOnPlateau) -> Self {
        Self::ReduceLrOnPlateau(plateau)
    }
}

pub(super) const NAME: &str = "ReduceLROnPlateau";

/// A [`ReduceLrOnPlateau`] bound to parameter groups.
#[derive(Debug)]
pub(super) struct Plateau {
    rule: ReduceLrOnPlateau,
    last_epoch: u64,
    best: f64,
    num_bad_epochs: u64,
    cooldown_counter: u64,
}

impl Plateau {
    pub(super) fn new(rule: ReduceLrOnPlateau) -> Self {
        let best = rule.mode.worst();
        Self { rule, last_epoch: 0, best, num_bad_epochs: 0, cooldown_counter: 0 }
    }

    pub(super) fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.rule.min_lr.check_groups(NAME, "min_lr", rates.groups())
    }

    pub(super) fn step(&mut self, rates: &mut dyn ParameterGroupRates, metric: f64) {
        self.last_epoch = self.last_epoch.saturating_add(1);
        if self.rule.is_better(metric, self.best) {
            self.best = metric;
            self.num_bad_epochs = 0;
        } else {
            self.num_bad_epochs = self.num_bad_epochs.saturating_add(1);
        }
        if self.cooldown_counter > 0 {
            self.cooldown_counter -= 1;
            self.num_bad_epochs = 0;
        }
        if self.num_bad_epochs > self.rule.patience {
            self.rule.reduce(rates);
            self.cooldown_counter = self.rule.cooldown;
            self.num_bad_epochs = 0;
        }
    }

    pub(super) fn state(&self) -> SchedulerState {
        let Self { best, num_bad_epochs, cooldown_counter, .. } = *self;
        SchedulerState {
            last_epoch: Some(self.last_epoch),
            plateau: Some(PlateauState { best, num_bad_epochs, cooldown_counter }),
            ..SchedulerState::of(NAME)
        }
    }

    pub(super) fn load(&mut self, state: &SchedulerState) -> Result<(), String> {
        state.check_name(NAME)?;
        self.last_epoch = state.last_epoch.ok_or("it has no last_epoch")?;
        let plateau = state.plateau.as_ref().ok_or("it has no plateau")?;
        self.best = plateau.best;
        self.num_bad_epochs = plateau.num_bad_epochs;
        self.cooldown_counter = plateau.cooldown_counter;
        Ok(())
    }
}
