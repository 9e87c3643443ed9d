use std::fmt;
use std::sync::Arc;

use serde::ser::Error;
use serde::{Deserialize, Serialize, Serializer};

use super::error::{require_finite, require_positive};
use super::groups::{Memory, ParameterGroupRates, require_momentum};
use super::rule::{RateInputs, Rule};
use super::{PerGroup, ScheduleError};

/// Cycles the rate between two bounds:
/// [`torch.optim.lr_scheduler.CyclicLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.CyclicLR.html).
///
/// ```text
/// ▁▂▃▄▅▆▇█▇▆▅▄▃▂▁▂▃▄▅▆▇█▇▆▅▄▃▂▁▂▃▄   Triangular
/// ▁▂▃▄▅▆▇█▇▆▅▄▃▂▁▂▂▃▃▄▄▅▄▄▃▃▂▂▁▂▂▂   Triangular2
/// ```
///
/// By default it also cycles the momentum, in the opposite direction and between its own bounds. It is usually stepped after
/// every batch. The first rate is `base_lr`; the optimizer's rate and rates set by hand are ignored.
///
/// [Smith, *Cyclical Learning Rates for Training Neural Networks*](https://arxiv.org/abs/1506.01186).
///
/// ```
/// use tch_lightning::schedule::{CyclicLr, CyclicMode};
///
/// let cyclic = CyclicLr::new(1e-4, 1e-2).step_size_up(500).mode(CyclicMode::Triangular2);
/// assert_eq!((cyclic.base_momentum, cyclic.max_momentum), (0.8.into(), 0.9.into()));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct CyclicLr {
    /// The lower bound of the rate, which is the first rate.
    pub base_lr: PerGroup<f64>,
    /// The upper bound of the rate.
    pub max_lr: PerGroup<f64>,
    /// The number of steps in which the rate rises, at least 1. Default 2000.
    #[serde(default = "default::step_size_up")]
    pub step_size_up: u64,
    /// The number of steps in which the rate falls. Default `step_size_up`.
    #[serde(default)]
    pub step_size_down: Option<u64>,
    /// The scaling of the cycles, if there is no `scale_fn`. Default [`CyclicMode::Triangular`].
    #[serde(default)]
    pub mode: CyclicMode,
    /// The base of [`CyclicMode::ExpRange`]. Default 1.
    #[serde(default = "default::gamma")]
    pub gamma: f64,
    /// A function that returns the factor of a cycle's height, in place of `mode`. Default none. It cannot be serialized.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none", serialize_with = "refuse")]
    pub scale_fn: Option<ScaleFn>,
    /// The argument of `scale_fn`. Default [`ScaleMode::Cycle`].
    #[serde(default)]
    pub scale_mode: ScaleMode,
    /// Whether the momentum is cycled in the opposite direction. Default true.
    #[serde(default = "default::cycle_momentum")]
    pub cycle_momentum: bool,
    /// The lower bound of the momentum. Default 0.8.
    #[serde(default = "default::base_momentum")]
    pub base_momentum: PerGroup<f64>,
    /// The upper bound of the momentum, which is the first momentum. Default 0.9.
    #[serde(default = "default::max_momentum")]
    pub max_momentum: PerGroup<f64>,
}

mod default {
    use super::PerGroup;

    pub(super) fn step_size_up() -> u64 {
        2000
    }

    pub(super) fn gamma() -> f64 {
        1.0
    }

    pub(super) fn cycle_momentum() -> bool {
        true
    }

    pub(super) fn base_momentum() -> PerGroup<f64> {
        PerGroup::All(0.8)
    }

    pub(super) fn max_momentum() -> PerGroup<f64> {
        PerGroup::All(0.9)
    }
}

/// The scaling of [`CyclicLr`]'s cycles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CyclicMode {
    /// All cycles have the same height.
    #[default]
    Triangular,
    /// Each cycle is half as high as the previous one.
    Triangular2,
    /// The height is `gamma` to the power of the steps taken.
    ExpRange,
}

/// The argument of a [`ScaleFn`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScaleMode {
    /// The number of the cycle, from 1.
    #[default]
    Cycle,
    /// The number of steps taken, from 0.
    Iterations,
}

/// A function that returns the factor of the height of [`CyclicLr`]'s cycles. Two are equal if one is a clone of the other.
#[derive(Clone)]
pub struct ScaleFn(Arc<dyn Fn(f64) -> f64 + Send + Sync>);

impl fmt::Debug for ScaleFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScaleFn(..)")
    }
}

impl PartialEq for ScaleFn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn refuse<S: Serializer>(_: &Option<ScaleFn>, _: S) -> Result<S::Ok, S::Error> {
    Err(S::Error::custom("a CyclicLr with a scale_fn cannot be serialized, as a function cannot"))
}

/// A mode, which is a text in PyTorch.
#[diagnostic::on_unimplemented(
    message = "`mode` is a `CyclicMode`, not `{Self}` [TL0006]",
    label = "write `CyclicMode::Triangular`, `CyclicMode::Triangular2` or `CyclicMode::ExpRange`, of `tch_lightning::schedule`"
)]
pub trait IntoCyclicMode {
    /// Returns the mode.
    fn into_mode(self) -> CyclicMode;
}

#[diagnostic::do_not_recommend]
impl IntoCyclicMode for CyclicMode {
    fn into_mode(self) -> CyclicMode {
        self
    }
}

impl CyclicLr {
    /// Creates cycles between these bounds, with defaults for the other hyperparameters.
    pub fn new(base_lr: impl Into<PerGroup<f64>>, max_lr: impl Into<PerGroup<f64>>) -> Self {
        Self {
            base_lr: base_lr.into(),
            max_lr: max_lr.into(),
            step_size_up: default::step_size_up(),
            step_size_down: None,
            mode: CyclicMode::default(),
            gamma: default::gamma(),
            scale_fn: None,
            scale_mode: ScaleMode::default(),
            cycle_momentum: default::cycle_momentum(),
            base_momentum: default::base_momentum(),
            max_momentum: default::max_momentum(),
        }
    }

    /// Sets the number of steps in which the rate rises.
    pub fn step_size_up(self, step_size_up: u64) -> Self {
        Self { step_size_up, ..self }
    }

    /// Sets the number of steps in which the rate falls.
    pub fn step_size_down(self, step_size_down: u64) -> Self {
        Self { step_size_down: Some(step_size_down), ..self }
    }

    /// Sets the scaling of the cycles.
    pub fn mode(self, mode: impl IntoCyclicMode) -> Self {
        Self { mode: mode.into_mode(), ..self }
    }

    /// Sets the base of [`CyclicMode::ExpRange`].
    pub fn gamma(self, gamma: f64) -> Self {
        Self { gamma, ..self }
    }

    /// Sets the function that returns the factor of a cycle's height, in place of [`mode`](Self::mode).
    pub fn scale_fn(self, function: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        Self { scale_fn: Some(ScaleFn(Arc::new(function))), ..self }
    }

    /// Sets the argument of [`scale_fn`](Self::scale_fn).
    pub fn scale_mode(self, scale_mode: ScaleMode) -> Self {
        Self { scale_mode, ..self }
    }

    /// Sets whether the momentum is cycled too.
    pub fn cycle_momentum(self, cycle_momentum: bool) -> Self {
        Self { cycle_momentum, ..self }
    }

    /// Sets the lower bound of the momentum.
    pub fn base_momentum(self, base_momentum: impl Into<PerGroup<f64>>) -> Self {
        Self { base_momentum: base_momentum.into(), ..self }
    }

    /// Sets the upper bound of the momentum.
    pub fn max_momentum(self, max_momentum: impl Into<PerGroup<f64>>) -> Self {
        Self { max_momentum: max_momentum.into(), ..self }
    }

    /// Returns the position between the two bounds, from 0 to 1, and the factor of the height.
    fn height(&self, epoch: f64) -> (f64, f64) {
        let up = self.step_size_up as f64;
        let total = up + self.step_size_down.map_or(up, |down| down as f64);
        let peak = up / total;
        let cycle = (1.0 + epoch / total).floor();
        let position = 1.0 + epoch / total - cycle;
        let way = if position <= peak { position / peak } else { (position - 1.0) / (peak - 1.0) };
        (way, self.scale(cycle, epoch))
    }

    fn scale(&self, cycle: f64, epoch: f64) -> f64 {
        match (&self.scale_fn, self.scale_mode, self.mode) {
            (Some(function), ScaleMode::Cycle, _) => (function.0)(cycle),
            (Some(function), ScaleMode::Iterations, _) => (function.0)(epoch),
            (None, _, CyclicMode::Triangular) => 1.0,
            (None, _, CyclicMode::Triangular2) => 1.0 / 2.0_f64.powf(cycle - 1.0),
            (None, _, CyclicMode::ExpRange) => self.gamma.powf(epoch),
        }
    }
}

impl From<CyclicLr> for super::Schedule {
    fn from(cyclic: CyclicLr) -> Self {
        Self::CyclicLr(cyclic)
    }
}

impl Rule for CyclicLr {
    fn name(&self) -> &'static str {
        "CyclicLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        self.base_lr.require_finite(self.name(), "base_lr")?;
        self.max_lr.require_finite(self.name(), "max_lr")?;
        require_positive(self.name(), "step_size_up", self.step_size_up)?;
        require_finite(self.name(), "gamma", self.gamma)?;
        self.base_momentum.require_finite(self.name(), "base_momentum")?;
        self.max_momentum.require_finite(self.name(), "max_momentum")
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.base_lr.check_groups(self.name(), "base_lr", rates.groups())?;
        self.max_lr.check_groups(self.name(), "max_lr", rates.groups())?;
        if !self.cycle_momentum {
            return Ok(());
        }
        self.base_momentum.check_groups(self.name(), "base_momentum", rates.groups())?;
        self.max_momentum.check_groups(self.name(), "max_momentum", rates.groups())?;
        require_momentum(self.name(), rates)
    }

    fn prepare(&self, group: usize, memory: &mut Memory) {
        memory.initial_lr.get_or_insert(*self.base_lr.of(group));
        if self.cycle_momentum {
            memory.base_momentum = *self.base_momentum.of(group);
            memory.max_momentum = *self.max_momentum.of(group);
        }
    }

    fn base_lr(&self, group: usize) -> Option<f64> {
        Some(*self.base_lr.of(group))
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        let (way, scale) = self.height(inputs.time());
        inputs.base_lr + (self.max_lr.of(inputs.group) - inputs.base_lr) * way * scale
    }

    fn momentum(&self, inputs: &RateInputs<'_>) -> Option<f64> {
        if !self.cycle_momentum {
            return None;
        }
        let (base, max) = (self.base_momentum.of(inputs.group), self.max_momentum.of(inputs.group));
        let (way, scale) = self.height(inputs.time());
        Some(max - (max - base) * way * scale)
    }
}
