//! Ends training when a metric stops improving.

use super::monitor::{IntoMonitorMode, MonitorMode, monitored};
use crate::checkpoint::lightning::quoted;
use crate::choice::FieldMistake;
use crate::context::phase::{Epoch, Outside};
use crate::context::{Context, RunContext};
use crate::counted::counted;
use crate::error::Error;
use crate::json;
use crate::messages;
use crate::module::{Callback, LightningModule};
use crate::stage::Stage;
use crate::strategy::Operation;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Ends training when a logged metric stops improving. Lightning's
/// [`EarlyStopping`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.EarlyStopping.html), with its
/// defaults.
///
/// ```
/// use tch_lightning::{callbacks::{EarlyStopping, MonitorMode}};
///
/// let stopping = EarlyStopping::new("val_acc").mode(MonitorMode::Max).patience(5).min_delta(0.001);
/// assert_eq!(stopping.patience, 5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct EarlyStopping {
    /// The name under which the metric is logged.
    pub monitor: String,
    /// The minimum change of the metric that counts as an improvement. Default 0.
    #[serde(default)]
    pub min_delta: f64,
    /// The number of checks without an improvement after which training ends. Default 3.
    #[serde(default = "default_patience")]
    pub patience: usize,
    /// Whether to print each improvement. Default false.
    #[serde(default)]
    pub verbose: bool,
    /// Whether smaller or larger values are better. Default smaller.
    #[serde(default)]
    pub mode: MonitorMode,
    /// Whether a metric that was not logged is an error. Default true.
    #[serde(default = "yes")]
    pub strict: bool,
    /// Whether NaN or an infinite value ends training. Default true.
    #[serde(default = "yes")]
    pub check_finite: bool,
    /// The threshold beyond which a better value ends training. Default none.
    #[serde(default)]
    pub stopping_threshold: Option<f64>,
    /// The threshold beyond which a worse value ends training. Default none.
    #[serde(default)]
    pub divergence_threshold: Option<f64>,
    /// Whether to check at the end of a training epoch instead of the end of validation. Default true if each epoch is
    /// validated once, at its end.
    #[serde(default)]
    pub check_on_train_epoch_end: Option<bool>,
    #[serde(skip)]
    state: State,
}

fn default_patience() -> usize {
    3
}

fn yes() -> bool {
    true
}

/// The state that checkpoints contain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    wait_count: usize,
    stopped_epoch: Option<usize>,
    best_score: Option<f64>,
    stopping_reason: Option<StoppingReason>,
    /// The number of training batches, over all epochs, at the last check. A run that is resumed after a failure may repeat several
    /// of them.
    #[serde(default)]
    latest_check: Option<usize>,
    /// For Lightning, which keeps the patience and knows the callback by this key.
    #[serde(flatten)]
    of_lightning: OfLightning,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct OfLightning {
    patience: usize,
    mode: MonitorMode,
    lightning_key: String,
}

/// The reason for which [`EarlyStopping`] ended training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StoppingReason {
    /// The metric was better than `stopping_threshold`.
    StoppingThreshold,
    /// The metric was worse than `divergence_threshold`.
    DivergenceThreshold,
    /// The metric did not improve for `patience` checks.
    PatienceExhausted,
    /// The metric was not finite.
    NonFiniteMetric,
}

impl EarlyStopping {
    /// Lightning's key of the callback's state.
    pub(super) fn lightning_key(&self) -> String {
        format!("EarlyStopping{{'monitor': {}, 'mode': '{}'}}", quoted(&self.monitor), self.mode)
    }

    /// Creates a callback that monitors the metric of this name.
    pub fn new(monitor: impl Into<String>) -> Self {
        Self {
            monitor: monitor.into(),
            min_delta: 0.0,
            patience: default_patience(),
            verbose: false,
            mode: MonitorMode::Min,
            strict: true,
            check_finite: true,
            stopping_threshold: None,
            divergence_threshold: None,
            check_on_train_epoch_end: None,
            state: State::default(),
        }
    }

    /// Sets the minimum change that counts as an improvement.
    pub fn min_delta(self, min_delta: f64) -> Self {
        Self { min_delta, ..self }
    }

    /// Sets the number of checks without an improvement after which training ends.
    pub fn patience(self, patience: usize) -> Self {
        Self { patience, ..self }
    }

    /// Sets whether to print each improvement.
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// Sets whether smaller or larger values are better.
    pub fn mode(self, mode: impl IntoMonitorMode) -> Self {
        Self { mode: mode.into_mode(), ..self }
    }

    /// Sets whether a metric that was not logged is an error.
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Sets whether NaN or an infinite value ends training.
    pub fn check_finite(self, check_finite: bool) -> Self {
        Self { check_finite, ..self }
    }

    /// Sets the threshold beyond which a better value ends training.
    pub fn stopping_threshold(self, threshold: f64) -> Self {
        Self { stopping_threshold: Some(threshold), ..self }
    }

    /// Sets the threshold beyond which a worse value ends training.
    pub fn divergence_threshold(self, threshold: f64) -> Self {
        Self { divergence_threshold: Some(threshold), ..self }
    }

    /// Sets whether to check at the end of a training epoch instead of the end of validation.
    pub fn check_on_train_epoch_end(self, check: bool) -> Self {
        Self { check_on_train_epoch_end: Some(check), ..self }
    }

    /// Returns the best value so far.
    pub fn best_score(&self) -> Option<f64> {
        self.state.best_score
    }

    /// Returns the number of checks since the last improvement.
    pub fn wait_count(&self) -> usize {
        self.state.wait_count
    }

    /// Returns the epoch, from 0, in which this callback ended training; `None` if it did not.
    pub fn stopped_epoch(&self) -> Option<usize> {
        self.state.stopped_epoch
    }

    /// Returns the reason for which this callback ended training; `None` if it did not.
    pub fn stopping_reason(&self) -> Option<StoppingReason> {
        self.state.stopping_reason
    }

    /// Returns the first field that is out of range.
    pub(crate) fn mistake(&self) -> Option<FieldMistake> {
        let not_finite = |(name, value): (&str, f64)| {
            let mistake = format!("must be a finite number, but it is {value}");
            (!value.is_finite()).then(|| FieldMistake::new(name, mistake))
        };
        // an infinite threshold is one that is never reached
        let not_a_number = |(name, value): (&str, Option<f64>)| {
            value.filter(|value| value.is_nan()).map(|_| FieldMistake::new(name, "must be a number, but it is NaN"))
        };
        let thresholds =
            [("stopping_threshold", self.stopping_threshold), ("divergence_threshold", self.divergence_threshold)];
        if self.monitor.is_empty() {
            return Some(FieldMistake::new("monitor", "must be the name of a logged metric, but it is empty"));
        }
        not_finite(("min_delta", self.min_delta)).or_else(|| thresholds.into_iter().find_map(not_a_number))
    }

    fn checks_epochs(&self, ctx: &RunContext) -> bool {
        let config = ctx.config();
        let by_default = config.val_check_interval.is_one() && config.check_val_every_n_epoch == Some(1);
        self.check_on_train_epoch_end.unwrap_or(by_default)
    }

    fn check(&mut self, ctx: &mut RunContext) -> Result<()> {
        let is_training = ctx.stage() == Stage::Fit && !ctx.sanity_checking();
        if !is_training || ctx.is_fast_dev_run() {
            return Ok(());
        }
        let batches = ctx.total_batches();
        if self.state.latest_check.is_some_and(|latest| latest >= batches) {
            return Ok(());
        }
        let current = match monitored(ctx, "EarlyStopping", &self.monitor) {
            Ok(current) => current,
            Err(missing) if self.strict => return Err(missing.into()),
            Err(missing) => {
                self.state.latest_check = Some(batches);
                if self.verbose {
                    messages::warning!({ epoch = ctx.current_epoch() }, "{missing}");
                }
                return Ok(());
            }
        };
        self.state.latest_check = Some(batches);
        let before = self.state.best_score;
        let reason = self.judge(current);
        if ctx.any_rank(Operation::MonitoredValues, reason.is_some())? {
            self.state.stopped_epoch = Some(ctx.current_epoch());
        }
        if let Some(reason) = reason {
            self.state.stopping_reason = Some(reason);
            ctx.stop_because(self.sentence(reason, current));
        } else if self.verbose && self.state.best_score != before {
            messages::info!({ epoch = ctx.current_epoch() }, "`{}` improved to {current:.4}", self.monitor);
        }
        Ok(())
    }

    /// Returns the reason to end training at this value, if any. Values are compared in single precision, in which Lightning
    /// stores logged values, so that the same values are equal.
    fn judge(&mut self, current: f64) -> Option<StoppingReason> {
        let single = |value: f64| f64::from(value as f32);
        let (mode, current) = (self.mode, single(current));
        let best = self.state.best_score.unwrap_or(mode.worst());
        let margin = if mode == MonitorMode::Min { self.min_delta } else { -self.min_delta };
        if self.check_finite && !current.is_finite() {
            Some(StoppingReason::NonFiniteMetric)
        } else if self.stopping_threshold.is_some_and(|threshold| mode.is_better(current, single(threshold))) {
            Some(StoppingReason::StoppingThreshold)
        } else if self.divergence_threshold.is_some_and(|threshold| mode.is_better(single(threshold), current)) {
            Some(StoppingReason::DivergenceThreshold)
        } else if mode.is_better(single(current + single(margin)), best) {
            self.state.best_score = Some(current);
            self.state.wait_count = 0;
            None
        } else {
            self.state.wait_count = self.state.wait_count.saturating_add(1);
            (self.state.wait_count >= self.patience).then_some(StoppingReason::PatienceExhausted)
        }
    }

    fn sentence(&self, reason: StoppingReason, current: f64) -> String {
        let monitor = &self.monitor;
        let why = match reason {
            StoppingReason::NonFiniteMetric => format!("`{monitor}` is {current}"),
            StoppingReason::StoppingThreshold => {
                format!("`{monitor}` is {current:.4}, better than `stopping_threshold`")
            }
            StoppingReason::DivergenceThreshold => {
                format!("`{monitor}` is {current:.4}, worse than `divergence_threshold`")
            }
            StoppingReason::PatienceExhausted => {
                let checks = counted(self.state.wait_count, "check");
                match self.state.best_score {
                    Some(best) => format!("`{monitor}` did not improve in {checks}; its best was {best:.4}"),
                    None => format!("`{monitor}` had no finite value in {checks}"),
                }
            }
        };
        format!("EarlyStopping: {why}")
    }
}

impl<M: LightningModule> Callback<M> for EarlyStopping {
    fn name(&self) -> &'static str {
        "EarlyStopping"
    }

    fn state_key(&self) -> String {
        format!("EarlyStopping({}, {})", self.monitor, self.mode)
    }

    fn is_monitoring(&self) -> bool {
        true
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        if let Some(mistake) = self.mistake() {
            return Err(Error::configuration(mistake.in_code("EarlyStopping")).into());
        }
        if stage == Stage::Fit {
            self.state = State::default();
        }
        Ok(())
    }

    /// Ends a run that was resumed from a checkpoint at which this callback had ended training, unless `patience` has been raised.
    fn on_train_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        if ctx.is_resumed() && self.state.wait_count >= self.patience.max(1) {
            ctx.stop_because(format!(
                "EarlyStopping: `{}` had stopped improving before the run was resumed: raise `patience` to continue",
                self.monitor
            ));
        }
        Ok(())
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        if self.checks_epochs(ctx) { self.check(ctx) } else { Ok(()) }
    }

    fn on_train_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        // a run that is resumed near its end may have no check left
        if self.state.latest_check.is_none() && !ctx.is_resumed() && !ctx.is_fast_dev_run() {
            messages::warning!(
                "EarlyStopping never checked `{}`: it checks after validation, and no validation has run; set \
                 `check_on_train_epoch_end` to check after each training epoch",
                self.monitor
            );
        }
        Ok(())
    }

    fn on_validation_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        if self.checks_epochs(ctx) { Ok(()) } else { self.check(ctx) }
    }

    fn state_dict(&mut self, _: &mut Context<Outside>) -> Result<Value> {
        let Self { patience, mode, .. } = *self;
        let of_lightning = OfLightning { patience, mode, lightning_key: self.lightning_key() };
        Ok(json::to_value(&State { of_lightning, ..self.state.clone() })?)
    }

    fn load_state_dict(&mut self, _: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        self.state = json::from_value(state_dict)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(mut stopping: EarlyStopping, values: &[f64]) -> Vec<Option<StoppingReason>> {
        values.iter().map(|value| stopping.judge(*value)).collect()
    }

    #[test]
    fn patience_counts_checks_without_an_improvement() {
        use StoppingReason::PatienceExhausted;
        let stopping = EarlyStopping::new("loss").patience(2);
        assert_eq!(judged(stopping, &[1.0, 0.9, 0.95, 0.96]), [None, None, None, Some(PatienceExhausted)]);
        let stopping = EarlyStopping::new("acc").patience(1).mode(MonitorMode::Max).min_delta(0.1);
        assert_eq!(judged(stopping, &[0.5, 0.7, 0.75]), [None, None, Some(PatienceExhausted)]);
    }

    #[test]
    fn thresholds_and_non_finite_values_end_training_at_once() {
        let stopping = EarlyStopping::new("loss").stopping_threshold(0.1).divergence_threshold(10.0);
        let reasons = judged(stopping, &[1.0, f64::NAN, 11.0, 0.05]);
        let expected = [
            None,
            Some(StoppingReason::NonFiniteMetric),
            Some(StoppingReason::DivergenceThreshold),
            Some(StoppingReason::StoppingThreshold),
        ];
        assert_eq!(reasons, expected);
    }
}
