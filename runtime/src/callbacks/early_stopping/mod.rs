//! Ends training when a metric stops improving.

mod best_weights;
mod state;
mod stopping_reason;

use super::monitor::{IntoMonitorMode, MonitorMode, monitored};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::lightning::quoted;
use crate::choice::FieldMistake;
use crate::context::phase::{Epoch, Outside};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::json;
use crate::messages;
use crate::module::{Callback, LightningModule};
use crate::stage::Stage;
use crate::strategy::Operation;
use anyhow::Result;
use best_weights::BestWeights;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use state::{OfLightning, State};
pub use stopping_reason::StoppingReason;
use tch::nn::VarStore;

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
    /// Whether the module has the weights of the best check at the end of training. Default false.
    #[serde(default)]
    pub restore_best: bool,
    #[serde(skip)]
    state: State,
    #[serde(skip)]
    best: BestWeights,
    /// Whether the run has restored the weights of the best check.
    #[serde(skip)]
    is_restored: bool,
}

fn default_patience() -> usize {
    3
}

fn yes() -> bool {
    true
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
            restore_best: false,
            state: State::default(),
            best: BestWeights::default(),
            is_restored: false,
        }
    }

    /// Sets the name of the metric, in place of that of [`EarlyStopping::new`].
    pub fn monitor(self, monitor: impl Into<String>) -> Self {
        Self { monitor: monitor.into(), ..self }
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

    /// Sets whether the module has the weights of the best check at the end of training, whatever ended it: Keras'
    /// [`restore_best_weights`](https://keras.io/api/callbacks/early_stopping/). Lightning users load the best checkpoint for it.
    ///
    /// A copy of the parameters and buffers is on the module's device, and in checkpoints, so that a resumed run restores the same weights.
    /// Checkpoints that were written before the end contain the weights of training.
    ///
    /// ```
    /// use tch_lightning::callbacks::EarlyStopping;
    ///
    /// let stopping = EarlyStopping::new("val_loss").patience(5).restore_best(true);
    /// assert!(stopping.restore_best);
    /// ```
    pub fn restore_best(self, restore_best: bool) -> Self {
        Self { restore_best, ..self }
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

    /// The prefix of the best weights' names in checkpoints.
    fn prefix(&self) -> String {
        format!("early_stopping.{}.{}.", self.monitor, self.mode)
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

    fn check(&mut self, ctx: &mut RunContext, store: &VarStore) -> Result<()> {
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
        let is_best = match reason {
            None => self.state.wait_count == 0,
            Some(reason) => reason == StoppingReason::StoppingThreshold,
        };
        // a metric that is not joined differs between processes, whose weights must not
        if self.restore_best && ctx.any_rank(Operation::MonitoredValues, is_best && ctx.is_global_zero())? {
            self.best.keep(store)?;
        }
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
            (self.state, self.best, self.is_restored) = (State::default(), BestWeights::default(), false);
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

    fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>, module: &mut M) -> Result<()> {
        if self.checks_epochs(ctx) { self.check(ctx, module.parameters()) } else { Ok(()) }
    }

    fn on_train_end(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
        self.best.restore(module.parameters())?;
        self.is_restored = true;
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

    /// Restores the weights in a run that is resumed after its last epoch, where `on_train_end` is not called.
    fn on_fit_end(&mut self, _: &mut Context<Outside>, module: &mut M) -> Result<()> {
        // the module may have changed them in its own `on_train_end`
        if self.is_restored { Ok(()) } else { self.best.restore(module.parameters()) }
    }

    fn on_validation_end(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
        if self.checks_epochs(ctx) { Ok(()) } else { self.check(ctx, module.parameters()) }
    }

    fn saves_when_written(&self) -> bool {
        self.restore_best
    }

    fn on_save_checkpoint(&mut self, ctx: &mut Context<Outside>, _: &mut M, checkpoint: &mut Checkpoint) -> Result<()> {
        if ctx.stage() == Stage::Fit {
            checkpoint.tensors.extend(self.best.named(&self.prefix()));
        }
        Ok(())
    }

    fn on_load_checkpoint(
        &mut self,
        ctx: &mut Context<Outside>,
        module: &mut M,
        checkpoint: &Checkpoint,
    ) -> Result<()> {
        if self.restore_best && ctx.stage() == Stage::Fit {
            self.best.load(module.parameters(), checkpoint, &self.prefix())?;
        }
        Ok(())
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
