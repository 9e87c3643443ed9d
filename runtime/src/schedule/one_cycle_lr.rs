use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::error::{require, require_positive};
use super::groups::{Memory, ParameterGroupRates, require_momentum};
use super::rule::{RateInputs, Rule};
use super::{PerGroup, ScheduleError};

/// Raises the rate to `max_lr` and then lowers it to almost 0, once:
/// [`torch.optim.lr_scheduler.OneCycleLR`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.OneCycleLR.html).
///
/// ```text
/// ▁▂▂▃▄▅▇▇█████▇▇▇▆▆▅▅▄▄▃▃▃▂▂▂▁▁▁▁
/// ```
///
/// By default it also cycles the momentum, in the opposite direction. It is usually stepped after every batch, `total_steps`
/// times; a further step is an error. The optimizer's rate and rates set by hand are ignored. As in PyTorch, if several are
/// composed in one scheduler, the bounds of the last one apply to all.
///
/// [Smith and Topin, *Super-Convergence: Very Fast Training of Neural Networks Using Large Learning
/// Rates*](https://arxiv.org/abs/1708.07120).
///
/// ```
/// use tch_lightning::schedule::OneCycleLr;
///
/// let by_steps = OneCycleLr::new(0.1).total_steps(10_000);
/// let by_epochs = OneCycleLr::new(0.1).epochs(20).steps_per_epoch(500);
/// assert_eq!(by_steps.pct_start, by_epochs.pct_start);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct OneCycleLr {
    /// The highest rate.
    pub max_lr: PerGroup<f64>,
    /// The number of steps of the training, at least 1. Default `epochs * steps_per_epoch`, over which it takes precedence.
    #[serde(default)]
    pub total_steps: Option<u64>,
    /// The number of epochs of the training, at least 1, if `total_steps` is not given.
    #[serde(default)]
    pub epochs: Option<u64>,
    /// The number of steps in an epoch, at least 1, if `total_steps` is not given.
    #[serde(default)]
    pub steps_per_epoch: Option<u64>,
    /// The fraction of the steps in which the rate rises, 0 to 1. Default 0.3.
    #[serde(default = "default::pct_start")]
    pub pct_start: f64,
    /// The curve between two rates. Default [`AnnealStrategy::Cos`].
    #[serde(default)]
    pub anneal_strategy: AnnealStrategy,
    /// Whether the momentum is cycled in the opposite direction. Default true.
    #[serde(default = "default::cycle_momentum")]
    pub cycle_momentum: bool,
    /// The lowest momentum. Default 0.85.
    #[serde(default = "default::base_momentum")]
    pub base_momentum: PerGroup<f64>,
    /// The highest momentum, at the start and at the end. Default 0.95.
    #[serde(default = "default::max_momentum")]
    pub max_momentum: PerGroup<f64>,
    /// The highest rate divided by the first, above 0. Default 25.
    #[serde(default = "default::div_factor")]
    pub div_factor: f64,
    /// The first rate divided by the last, above 0. Default 10000.
    #[serde(default = "default::final_div_factor")]
    pub final_div_factor: f64,
    /// Whether the rate first returns to the first rate, in as many steps as it rose, and then falls to the last. Default
    /// false: it falls directly to the last.
    #[serde(default)]
    pub three_phase: bool,
}

mod default {
    use super::PerGroup;

    pub(super) fn pct_start() -> f64 {
        0.3
    }

    pub(super) fn cycle_momentum() -> bool {
        true
    }

    pub(super) fn base_momentum() -> PerGroup<f64> {
        PerGroup::All(0.85)
    }

    pub(super) fn max_momentum() -> PerGroup<f64> {
        PerGroup::All(0.95)
    }

    pub(super) fn div_factor() -> f64 {
        25.0
    }

    pub(super) fn final_div_factor() -> f64 {
        1e4
    }
}

/// The curve that [`OneCycleLr`] follows between two rates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnnealStrategy {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl AnnealStrategy {
    fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            Self::Cos => end + (start - end) / 2.0 * ((PI * part).cos() + 1.0),
            Self::Linear => (end - start) * part + start,
        }
    }
}

impl OneCycleLr {
    /// Creates a cycle up to this rate. Its length must be set by [`total_steps`](Self::total_steps), or by
    /// [`epochs`](Self::epochs) and [`steps_per_epoch`](Self::steps_per_epoch).
    pub fn new(max_lr: impl Into<PerGroup<f64>>) -> Self {
        Self {
            max_lr: max_lr.into(),
            total_steps: None,
            epochs: None,
            steps_per_epoch: None,
            pct_start: default::pct_start(),
            anneal_strategy: AnnealStrategy::default(),
            cycle_momentum: default::cycle_momentum(),
            base_momentum: default::base_momentum(),
            max_momentum: default::max_momentum(),
            div_factor: default::div_factor(),
            final_div_factor: default::final_div_factor(),
            three_phase: false,
        }
    }

    /// Sets the number of steps of the training.
    pub fn total_steps(self, total_steps: u64) -> Self {
        Self { total_steps: Some(total_steps), ..self }
    }

    /// Sets the number of epochs of the training.
    pub fn epochs(self, epochs: u64) -> Self {
        Self { epochs: Some(epochs), ..self }
    }

    /// Sets the number of steps in an epoch.
    pub fn steps_per_epoch(self, steps_per_epoch: u64) -> Self {
        Self { steps_per_epoch: Some(steps_per_epoch), ..self }
    }

    /// Sets the fraction of the steps in which the rate rises.
    pub fn pct_start(self, pct_start: f64) -> Self {
        Self { pct_start, ..self }
    }

    /// Sets the curve between two rates.
    pub fn anneal_strategy(self, anneal_strategy: AnnealStrategy) -> Self {
        Self { anneal_strategy, ..self }
    }

    /// Sets whether the momentum is cycled too.
    pub fn cycle_momentum(self, cycle_momentum: bool) -> Self {
        Self { cycle_momentum, ..self }
    }

    /// Sets the lowest momentum.
    pub fn base_momentum(self, base_momentum: impl Into<PerGroup<f64>>) -> Self {
        Self { base_momentum: base_momentum.into(), ..self }
    }

    /// Sets the highest momentum.
    pub fn max_momentum(self, max_momentum: impl Into<PerGroup<f64>>) -> Self {
        Self { max_momentum: max_momentum.into(), ..self }
    }

    /// Sets the quotient of the highest rate and the first.
    pub fn div_factor(self, div_factor: f64) -> Self {
        Self { div_factor, ..self }
    }

    /// Sets the quotient of the first rate and the last.
    pub fn final_div_factor(self, final_div_factor: f64) -> Self {
        Self { final_div_factor, ..self }
    }

    /// Sets whether the rate returns to the first rate before it falls to the last.
    pub fn three_phase(self, three_phase: bool) -> Self {
        Self { three_phase, ..self }
    }

    /// The length of the cycle, if it is known.
    fn length(&self) -> Option<u64> {
        self.total_steps.or_else(|| Some(self.epochs?.saturating_mul(self.steps_per_epoch?)))
    }

    fn phases(&self, memory: &Memory) -> Vec<CyclePhase> {
        let Memory { initial_lr, max_lr, min_lr, base_momentum, max_momentum } = *memory;
        let initial_lr = initial_lr.unwrap_or(max_lr);
        let steps = self.length().unwrap_or(0) as f64;
        let up_ends = self.pct_start * steps - 1.0;
        let up = CyclePhase { end: up_ends, lr: (initial_lr, max_lr), momentum: (max_momentum, base_momentum) };
        if self.three_phase {
            let down_ends = 2.0 * self.pct_start * steps - 2.0;
            let down = CyclePhase { end: down_ends, lr: (max_lr, initial_lr), momentum: (base_momentum, max_momentum) };
            let out = CyclePhase { end: steps - 1.0, lr: (initial_lr, min_lr), momentum: (max_momentum, max_momentum) };
            vec![up, down, out]
        } else {
            let down = CyclePhase { end: steps - 1.0, lr: (max_lr, min_lr), momentum: (base_momentum, max_momentum) };
            vec![up, down]
        }
    }

    /// The rate and the momentum.
    fn at(&self, inputs: &RateInputs<'_>) -> (f64, f64) {
        let phases = self.phases(inputs.memory);
        let now = phases.iter().position(|phase| inputs.time() <= phase.end).unwrap_or(phases.len() - 1);
        let start = if now == 0 { 0.0 } else { phases[now - 1].end };
        let phase = &phases[now];
        // a rise of a single step is complete at once; PyTorch would divide by its length of 0
        let length = phase.end - start;
        let part = if length == 0.0 { 1.0 } else { (inputs.time() - start) / length };
        let between = |(start, end)| self.anneal_strategy.between(start, end, part);
        (between(phase.lr), between(phase.momentum))
    }
}

/// A phase of the cycle: its end, and the first and last values of the rate and the momentum.
struct CyclePhase {
    end: f64,
    lr: (f64, f64),
    momentum: (f64, f64),
}

impl From<OneCycleLr> for super::Schedule {
    fn from(one_cycle: OneCycleLr) -> Self {
        Self::OneCycleLr(one_cycle)
    }
}

impl Rule for OneCycleLr {
    fn name(&self) -> &'static str {
        "OneCycleLR"
    }

    fn validate(&self) -> Result<(), ScheduleError> {
        let counts = [("epochs", self.epochs), ("steps_per_epoch", self.steps_per_epoch)];
        let counts = if self.total_steps.is_some() { &[("total_steps", self.total_steps)][..] } else { &counts };
        for (name, count) in counts {
            require_positive(self.name(), name, count.ok_or(ScheduleError::UnknownLength)?)?;
        }
        let pct_start = (0.0..=1.0).contains(&self.pct_start);
        require(pct_start, self.name(), "pct_start", self.pct_start, "at least 0 and at most 1")?;
        self.max_lr.require_finite(self.name(), "max_lr")?;
        self.base_momentum.require_finite(self.name(), "base_momentum")?;
        self.max_momentum.require_finite(self.name(), "max_momentum")?;
        let divides = |factor: f64| factor > 0.0 && factor.is_finite();
        let (first, last) = (self.div_factor, self.final_div_factor);
        require(divides(first), self.name(), "div_factor", first, "a finite number above 0")?;
        require(divides(last), self.name(), "final_div_factor", last, "a finite number above 0")
    }

    fn check_groups(&self, rates: &dyn ParameterGroupRates) -> Result<(), ScheduleError> {
        self.max_lr.check_groups(self.name(), "max_lr", rates.groups())?;
        if !self.cycle_momentum {
            return Ok(());
        }
        self.max_momentum.check_groups(self.name(), "max_momentum", rates.groups())?;
        self.base_momentum.check_groups(self.name(), "base_momentum", rates.groups())?;
        require_momentum(self.name(), rates)
    }

    fn check_epoch(&self, epoch: u64) -> Result<(), ScheduleError> {
        match self.length() {
            Some(total_steps) if epoch > total_steps => Err(ScheduleError::Finished { step: epoch, total_steps }),
            _ => Ok(()),
        }
    }

    fn prepare(&self, group: usize, memory: &mut Memory) {
        let max_lr = *self.max_lr.of(group);
        let initial_lr = max_lr / self.div_factor;
        memory.initial_lr = Some(initial_lr);
        memory.max_lr = max_lr;
        memory.min_lr = initial_lr / self.final_div_factor;
        if self.cycle_momentum {
            memory.base_momentum = *self.base_momentum.of(group);
            memory.max_momentum = *self.max_momentum.of(group);
        }
    }

    fn next(&self, inputs: &RateInputs<'_>) -> f64 {
        self.at(inputs).0
    }

    fn momentum(&self, inputs: &RateInputs<'_>) -> Option<f64> {
        self.cycle_momentum.then(|| self.at(inputs).1)
    }
}
