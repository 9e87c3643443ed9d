//! An exponential moving average of the weights, for validation and as the result of training.

use super::averaged_weights::AveragedWeights;
use crate::checkpoint::{Checkpoint, MODULE};
use crate::choice::FieldMistake;
use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::json;
use crate::module::{Callback, LightningModule, buffers, trainable};
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tch::nn::VarStore;

/// Maintains an exponential moving average of the module's weights, and replaces the weights with it during validation and
/// after training. Lightning's
/// [`EMAWeightAveraging`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.EMAWeightAveraging.html),
/// with its defaults.
///
/// After a step, `average = decay * average + (1 - decay) * weights`; the first update makes the average equal to the
/// weights. The average is on the module's device, and an update is one kernel for all weights of a dtype. Validation before
/// the first update uses the module's own weights.
///
/// Checkpoints contain the average as the module's weights, for validation, tests and use, and alongside it the training
/// weights: a resumed run continues with both. Weights-only checkpoints, however, contain the training weights, as in
/// Lightning.
///
/// ```
/// use tch_lightning::callbacks::ExponentialMovingAverage;
///
/// let average = ExponentialMovingAverage::new(0.9999).update_starting_at_step(1_000);
/// assert_eq!(ExponentialMovingAverage::default().decay, 0.999);
/// ```
///
/// # Errors
/// Every verb fails if `decay` is not from 0 to 1.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ExponentialMovingAverage {
    /// The fraction of the average that an update keeps, from 0 to 1. Default 0.999.
    pub decay: f64,
    /// Whether to average the module's buffers too, such as the running means of a batch norm; otherwise they are copied
    /// from the module at each update. Default true.
    pub use_buffers: bool,
    /// Update after the optimizer steps whose index, from 0, is a multiple of this; 0 disables updates by steps, and
    /// requires `update_starting_at_epoch`. Default 1.
    pub update_every_n_steps: usize,
    /// The index of the first optimizer step, from 0, after which to update. Default 0.
    pub update_starting_at_step: Option<usize>,
    /// The first epoch, from 0, at whose end to update too, in addition to the steps. Default none.
    pub update_starting_at_epoch: Option<usize>,
    #[serde(skip)]
    weights: Option<AveragedWeights>,
    /// The number of optimizer steps at the last update, so that a step with several accumulated batches updates once.
    #[serde(skip)]
    latest_update_step: usize,
    /// The number of training batches, over all epochs, at the last update by an epoch's end, which a resumed run may repeat.
    #[serde(skip)]
    latest_epoch_ended_after: Option<usize>,
}

/// The state that checkpoints contain, in addition to tensors.
#[derive(Serialize, Deserialize)]
struct State {
    latest_update_step: usize,
    #[serde(default)]
    latest_epoch_ended_after: Option<usize>,
    n_averaged: u64,
}

/// The prefix of the training weights' names in checkpoints; the averages have the names of the module's weights.
const CURRENT_MODEL: &str = "current_model.";

impl Default for ExponentialMovingAverage {
    fn default() -> Self {
        Self {
            decay: 0.999,
            use_buffers: true,
            update_every_n_steps: 1,
            update_starting_at_step: None,
            update_starting_at_epoch: None,
            weights: None,
            latest_update_step: 0,
            latest_epoch_ended_after: None,
        }
    }
}

impl ExponentialMovingAverage {
    /// Creates an average of which each update keeps the fraction `decay`.
    pub fn new(decay: f64) -> Self {
        Self { decay, ..Self::default() }
    }

    /// Sets whether to average the module's buffers too.
    pub fn use_buffers(self, use_buffers: bool) -> Self {
        Self { use_buffers, ..self }
    }

    /// Sets the number of optimizer steps between two updates.
    pub fn update_every_n_steps(self, steps: usize) -> Self {
        Self { update_every_n_steps: steps, ..self }
    }

    /// Sets the index of the first optimizer step, from 0, after which to update.
    pub fn update_starting_at_step(self, step: usize) -> Self {
        Self { update_starting_at_step: Some(step), ..self }
    }

    /// Sets the first epoch, from 0, at whose end to update too.
    pub fn update_starting_at_epoch(self, epoch: usize) -> Self {
        Self { update_starting_at_epoch: Some(epoch), ..self }
    }

    /// Returns the number of updates in the running or the last `fit`.
    pub fn n_averaged(&self) -> u64 {
        self.weights.as_ref().map_or(0, AveragedWeights::n_averaged)
    }

    /// Returns the average, on the module's device, by the names of the module's parameters and buffers; empty before the
    /// first update. The tensors are handles of the live average, which the next update changes. During validation they are
    /// the module's own tensors, into which its weights return afterwards.
    pub fn averages(&self) -> Vec<(String, tch::Tensor)> {
        self.weights
            .as_ref()
            .filter(|weights| weights.n_averaged() > 0)
            .map(AveragedWeights::averages)
            .unwrap_or_default()
    }

    /// Returns the first field that is out of range, or the fields that do not fit together.
    pub(crate) fn mistake(&self) -> Option<FieldMistake> {
        if !(0.0..=1.0).contains(&self.decay) {
            return Some(FieldMistake::new("decay", format!("must be from 0 to 1, but it is {}", self.decay)));
        }
        (self.update_every_n_steps == 0 && self.update_starting_at_epoch.is_none()).then(|| {
            let mistake = "`update_every_n_steps` is 0, so that the average is never updated: set it to 1 or more, or set \
                           `update_starting_at_epoch`";
            FieldMistake::new("", mistake)
        })
    }

    fn updates_at_step(&self, step: usize) -> bool {
        self.update_starting_at_step.is_none_or(|start| step >= start)
            && self.update_every_n_steps > 0
            && step.is_multiple_of(self.update_every_n_steps)
    }

    fn make(&mut self, store: &VarStore) -> Result<&mut AveragedWeights> {
        let (mut averaged, mut followed) = (trainable(store), buffers(store));
        if self.use_buffers {
            averaged.append(&mut followed);
        }
        Ok(self.weights.insert(AveragedWeights::new(averaged, followed)?))
    }

    fn update(&mut self) -> Result<()> {
        self.weights.as_mut().map_or(Ok(()), |weights| weights.update(1.0 - self.decay))
    }

    /// Returns the average of a running `fit`; `None` before the first update.
    fn of_fit(&mut self, ctx: &RunContext) -> Option<&mut AveragedWeights> {
        self.weights.as_mut().filter(|weights| ctx.stage() == Stage::Fit && weights.n_averaged() > 0)
    }
}

impl<M: LightningModule> Callback<M> for ExponentialMovingAverage {
    fn name(&self) -> &'static str {
        "ExponentialMovingAverage"
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        if let Some(mistake) = self.mistake() {
            return Err(Error::configuration(mistake.in_code("ExponentialMovingAverage")).into());
        }
        if stage == Stage::Fit {
            self.weights = None;
            (self.latest_update_step, self.latest_epoch_ended_after) = (0, None);
        }
        Ok(())
    }

    fn on_fit_start(&mut self, _: &mut Context<Outside>, module: &mut M) -> Result<()> {
        if self.weights.is_none() {
            self.make(module.parameters())?;
        }
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        _: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        let steps = ctx.global_step();
        if steps > self.latest_update_step && self.updates_at_step(steps - 1) {
            self.update()?;
            self.latest_update_step = steps;
        }
        Ok(())
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        let batches = ctx.total_batches();
        let is_due = self.update_starting_at_epoch.is_some_and(|start| ctx.current_epoch() >= start);
        if is_due && self.latest_epoch_ended_after.is_none_or(|latest| batches > latest) {
            self.update()?;
            self.latest_epoch_ended_after = Some(batches);
        }
        Ok(())
    }

    fn on_train_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        Ok(self.of_fit(ctx).map_or(Ok(()), AveragedWeights::transfer)?)
    }

    /// Transfers the average in a run that is resumed after its last epoch, where `on_train_end` is not called.
    fn on_fit_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        Ok(self.of_fit(ctx).map_or(Ok(()), AveragedWeights::transfer)?)
    }

    fn on_validation_epoch_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        Ok(self.of_fit(ctx).map_or(Ok(()), AveragedWeights::swap_in)?)
    }

    fn on_validation_epoch_end(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        Ok(self.of_fit(ctx).map_or(Ok(()), AveragedWeights::swap_out)?)
    }

    /// Swaps the training weights back after a failed validation, so that they are saved and training resumes with them.
    fn on_exception(&mut self, ctx: &mut Context<Outside>, _: &mut M, _: &Error) -> Result<()> {
        Ok(self.of_fit(ctx).map_or(Ok(()), AveragedWeights::swap_out)?)
    }

    fn saves_when_written(&self) -> bool {
        true
    }

    fn on_save_checkpoint(&mut self, ctx: &mut Context<Outside>, _: &mut M, checkpoint: &mut Checkpoint) -> Result<()> {
        if let Some(weights) = self.of_fit(ctx) {
            let named = |prefix: &'static str| move |(name, tensor)| (format!("{prefix}{name}"), tensor);
            checkpoint.tensors.extend(weights.averages().into_iter().map(named(MODULE)));
            checkpoint.tensors.extend(weights.weights().into_iter().map(named(CURRENT_MODEL)));
        }
        Ok(())
    }

    fn on_load_checkpoint(
        &mut self,
        ctx: &mut Context<Outside>,
        module: &mut M,
        checkpoint: &Checkpoint,
    ) -> Result<()> {
        if ctx.stage() != Stage::Fit {
            return Ok(());
        }
        // at this point the module's weights are the average
        let weights = self.make(module.parameters())?;
        if checkpoint.under(CURRENT_MODEL).next().is_some() {
            checkpoint.load_under(CURRENT_MODEL, &weights.weights())?;
        }
        Ok(())
    }

    fn state_dict(&mut self, _: &mut Context<Outside>) -> Result<Value> {
        let Self { latest_update_step, latest_epoch_ended_after, .. } = *self;
        Ok(json::to_value(&State { latest_update_step, latest_epoch_ended_after, n_averaged: self.n_averaged() })?)
    }

    fn load_state_dict(&mut self, _: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        let State { latest_update_step, latest_epoch_ended_after, n_averaged } = json::from_value(state_dict)?;
        (self.latest_update_step, self.latest_epoch_ended_after) = (latest_update_step, latest_epoch_ended_after);
        if let Some(weights) = &mut self.weights {
            weights.set_n_averaged(n_averaged);
        }
        Ok(())
    }
}
