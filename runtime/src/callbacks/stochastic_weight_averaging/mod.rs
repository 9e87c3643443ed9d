//! Averages the weights of the last epochs.

mod epoch_start;
mod norm_statistics;

pub use epoch_start::EpochStart;

use super::averaged_weights::AveragedWeights;
use crate::checkpoint::Checkpoint;
use crate::choice::FieldMistake;
use crate::context::phase::{Epoch, Outside, Step};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::json;
use crate::module::{Callback, Callbacks, LightningModule, TrainingContext, trainable};
use crate::optim::OptimizerIndex;
use crate::schedule::{AnnealStrategy, PerGroup, SwaLr};
use crate::stage::Stage;
use anyhow::Result;
use norm_statistics::NormStatistics;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use tch::{Tensor, no_grad};

/// Averages the weights of the last epochs, which are trained with a separate learning rate, and ends with the average.
/// Lightning's
/// [`StochasticWeightAveraging`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.StochasticWeightAveraging.html),
/// with its defaults.
///
/// From its first epoch on, a [`SwaLr`] replaces the module's scheduler and anneals the learning rate to `swa_lrs`, and the
/// weights at the beginning of each epoch enter the average, which is on the module's device. After the last epoch the average
/// becomes the module's weights; a run that ends earlier keeps its own weights.
///
/// If the module has batch norms, whose running statistics do not fit the averaged weights, one more epoch follows: its
/// training steps run without gradients and without the optimizer, and the statistics become the arithmetic means over its
/// batches. The first batch passes through `training_step` twice. The epoch is skipped under manual optimization.
///
/// Reference: [Izmailov et al., *Averaging Weights Leads to Wider Optima and Better
/// Generalization*](https://arxiv.org/abs/1803.05407).
///
/// ```
/// use tch_lightning::callbacks::StochasticWeightAveraging;
///
/// let last_quarter = StochasticWeightAveraging::new(0.05).swa_epoch_start(0.75);
/// let from_epoch_20 = StochasticWeightAveraging::new(0.05).swa_epoch_start(20).annealing_epochs(5);
/// ```
///
/// # Errors
/// `fit` fails if a rate is not above 0; if the start is epoch 0, a fraction that is not from 0 to 1, or a fraction while the
/// number of epochs is not limited; and unless the module has exactly one optimizer and at most one scheduler.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct StochasticWeightAveraging {
    /// The learning rate while weights are averaged, for all parameter groups or for each.
    pub swa_lrs: PerGroup<f64>,
    /// The first epoch in which weights are averaged, from 1, or the fraction of the epochs before it. Default 0.8.
    #[serde(default)]
    pub swa_epoch_start: EpochStart,
    /// The number of epochs over which the learning rate is annealed. Default 10.
    #[serde(default = "default_annealing_epochs")]
    pub annealing_epochs: u64,
    /// The curve of the annealing. Default [`AnnealStrategy::Cos`].
    #[serde(default)]
    pub annealing_strategy: AnnealStrategy,
    #[serde(skip)]
    run: Run,
}

fn default_annealing_epochs() -> u64 {
    10
}

/// The state of the current run.
#[derive(Debug, Default)]
struct Run {
    /// The first epoch, from 0.
    start: usize,
    /// The last epoch, from 0; `None` without a limit.
    end: Option<usize>,
    /// The trainer's own `max_epochs`, if an epoch was added.
    max_epochs: Option<Option<i64>>,
    weights: Option<AveragedWeights>,
    /// The epoch whose weights last entered the average; a resumed run may begin that epoch again.
    latest_epoch: Option<usize>,
    is_resumed: bool,
    norms: Option<NormStatistics>,
    /// The batch norms' statistics in the checkpoint from which the run resumes.
    saved_norms: BTreeMap<String, Tensor>,
    saved_norm_batches: Option<u64>,
}

/// The state that checkpoints contain, in addition to tensors, after averaging has begun.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    n_averaged: u64,
    #[serde(default)]
    latest_epoch: Option<usize>,
    /// The number of batches in the epoch for batch norms; `None` outside it.
    #[serde(default)]
    norm_batches: Option<u64>,
}

const NAME: &str = "StochasticWeightAveraging";

/// The prefix of the averages' names in checkpoints.
const AVERAGE_MODEL: &str = "average_model.";

/// The prefix of the batch-norm statistics' names in checkpoints.
const NORM_STATISTICS: &str = "norm_statistics.";

impl StochasticWeightAveraging {
    /// Creates a callback that averages the weights of the last fifth of the epochs, trained with this rate.
    pub fn new(swa_lrs: impl Into<PerGroup<f64>>) -> Self {
        Self {
            swa_lrs: swa_lrs.into(),
            swa_epoch_start: EpochStart::default(),
            annealing_epochs: default_annealing_epochs(),
            annealing_strategy: AnnealStrategy::default(),
            run: Run::default(),
        }
    }

    /// Sets the first epoch in which weights are averaged, from 1, or the fraction of the epochs before it.
    pub fn swa_epoch_start(self, start: impl Into<EpochStart>) -> Self {
        Self { swa_epoch_start: start.into(), ..self }
    }

    /// Sets the number of epochs over which the learning rate is annealed.
    pub fn annealing_epochs(self, annealing_epochs: u64) -> Self {
        Self { annealing_epochs, ..self }
    }

    /// Sets the curve of the annealing.
    pub fn annealing_strategy(self, annealing_strategy: AnnealStrategy) -> Self {
        Self { annealing_strategy, ..self }
    }

    /// Returns the number of weights in the average of the running or the last `fit`.
    pub fn n_averaged(&self) -> u64 {
        self.run.weights.as_ref().map_or(0, AveragedWeights::n_averaged)
    }

    /// Returns the first field that is out of range.
    pub(crate) fn mistake(&self) -> Option<FieldMistake> {
        let is_positive = |lr: &f64| *lr > 0.0 && lr.is_finite();
        let holds = self.swa_lrs.values().iter().all(is_positive);
        (!holds).then(|| FieldMistake::new("swa_lrs", "must be finite and above 0"))
    }

    /// Checks the configuration and returns the first epoch, from 0.
    fn check(&self, ctx: &RunContext) -> Result<usize, Error> {
        let (optimizers, schedulers) = (ctx.optimizers().len(), ctx.lr_schedulers().len());
        let mistake = if let Some(FieldMistake { field, mistake }) = self.mistake() {
            format!("`{field}` {mistake}")
        } else if optimizers != 1 {
            format!("the module must have exactly one optimizer, but it has {optimizers}")
        } else if schedulers > 1 {
            format!("the module must have at most one scheduler, but it has {schedulers}")
        } else {
            match self.swa_epoch_start.first_epoch(ctx.config().epoch_limit()) {
                Ok(first) => {
                    self.swa_lrs.check_groups(NAME, "swa_lrs", ctx.optimizers()[0].groups().len())?;
                    return Ok(first);
                }
                Err(mistake) => mistake,
            }
        };
        Err(Error::configuration(format!("{NAME}: {mistake}")))
    }

    fn averages_in(&self, epoch: usize) -> bool {
        epoch >= self.run.start && self.run.end.is_none_or(|end| epoch <= end)
    }

    /// Whether an epoch is the one for batch norms.
    fn is_for_norms(&self, epoch: usize) -> bool {
        self.run.max_epochs.is_some() && self.run.end.is_some_and(|end| epoch == end + 1)
    }

    /// Adds an epoch to the run.
    fn extend(&mut self, ctx: &mut RunContext) {
        if let Some(end) = self.run.end {
            self.run.max_epochs = Some(ctx.config().max_epochs);
            ctx.set_max_epochs(i64::try_from(end + 2).ok());
        }
    }

    /// Restores the trainer's `max_epochs`.
    fn end(&mut self, ctx: &mut RunContext) {
        if let Some(max_epochs) = self.run.max_epochs.take() {
            ctx.set_max_epochs(max_epochs);
        }
    }

    /// Replaces the module's scheduler.
    fn schedule(&self, ctx: &mut RunContext) -> Result<(), Error> {
        let swa = SwaLr::new(self.swa_lrs.clone());
        let swa = swa.anneal_epochs(self.annealing_epochs).anneal_strategy(self.annealing_strategy);
        ctx.remove_lr_schedulers();
        Ok(ctx.add_lr_scheduler(OptimizerIndex(0), swa.into())?)
    }

    fn average<M: LightningModule>(&mut self, ctx: &mut RunContext, module: &mut M) -> Result<()> {
        if self.run.weights.is_none() {
            self.run.weights = Some(AveragedWeights::new(trainable(module.parameters()), Vec::new())?);
            self.schedule(ctx)?;
        }
        let epoch = Some(ctx.current_epoch());
        if let Some(weights) = self.run.weights.as_mut().filter(|_| self.run.latest_epoch != epoch) {
            weights.update(1.0 / weights.n_averaged().saturating_add(1) as f64)?;
            self.run.latest_epoch = epoch;
        }
        Ok(())
    }

    /// Begins the epoch for batch norms, or continues it.
    fn begin_norms<M: LightningModule>(&mut self, ctx: &mut RunContext, module: &mut M) -> Result<()> {
        let mut norms = NormStatistics::new(module.parameters())?;
        if let Some(batches) = self.run.saved_norm_batches.take() {
            norms.restore(&std::mem::take(&mut self.run.saved_norms), batches)?;
        }
        self.run.norms = Some(norms);
        ctx.skip_backward(true);
        Ok(())
    }

    fn transfer_after_last_epoch(&mut self, ctx: &RunContext) -> Result<()> {
        // `current_epoch` already counts the last epoch
        let was_last = self.run.end.is_none_or(|end| ctx.current_epoch() == end + 1);
        if was_last { self.transfer() } else { Ok(()) }
    }

    fn transfer(&mut self) -> Result<()> {
        Ok(self.run.weights.as_mut().map_or(Ok(()), AveragedWeights::transfer)?)
    }
}

impl<M: LightningModule> Callback<M> for StochasticWeightAveraging {
    fn name(&self) -> &'static str {
        NAME
    }

    fn setup(&mut self, _: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        if stage == Stage::Fit {
            self.run = Run::default();
        }
        Ok(())
    }

    fn on_fit_start(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
        self.run.start = self.check(ctx)?;
        self.run.end = ctx.config().epoch_limit().and_then(|epochs| epochs.checked_sub(1));
        if M::AUTOMATIC_OPTIMIZATION && NormStatistics::are_in(module.parameters()) {
            self.extend(ctx);
        }
        // before the learning rates and the schedulers' states are restored
        if self.run.is_resumed { Ok(self.schedule(ctx)?) } else { Ok(()) }
    }

    /// Continues the epoch for batch norms in a run that is resumed within it; the module already has the average.
    fn on_train_start(&mut self, ctx: &mut Context<Epoch>, module: &mut M) -> Result<()> {
        let is_for_norms = ctx.is_mid_epoch() && self.is_for_norms(ctx.current_epoch());
        if is_for_norms { self.begin_norms(ctx, module) } else { Ok(()) }
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context<Epoch>, module: &mut M) -> Result<()> {
        let epoch = ctx.current_epoch();
        if self.averages_in(epoch) {
            self.average(ctx, module)
        } else if self.is_for_norms(epoch) {
            self.transfer()?;
            self.begin_norms(ctx, module)
        } else {
            Ok(())
        }
    }

    fn on_train_batch_start(
        &mut self,
        ctx: &mut Context<Step>,
        module: &mut M,
        batch: &M::Batch,
        batch_idx: usize,
    ) -> Result<()> {
        let Some(norms) = &mut self.run.norms else { return Ok(()) };
        if norms.needs_momenta() {
            // the regular step logs the batch, and calls the callbacks
            let mut none = Callbacks::default();
            let forward = |ctx: &mut RunContext| {
                let ctx = &mut TrainingContext::new(ctx.at(), &mut none);
                no_grad(|| module.training_step(ctx, batch, batch_idx)).map(drop)
            };
            norms.find_momenta(|| ctx.without_logging(forward))?;
        }
        Ok(norms.before_batch()?)
    }

    fn on_train_batch_end(
        &mut self,
        _: &mut Context<Step>,
        _: &mut M,
        _: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        self.run.norms.as_mut().map_or(Ok(()), NormStatistics::after_batch)
    }

    fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        ctx.skip_backward(false);
        self.run.norms = None;
        Ok(())
    }

    fn on_train_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.end(ctx);
        self.transfer_after_last_epoch(ctx)
    }

    /// Transfers the average in a run that is resumed after its last epoch, where `on_train_end` is not called.
    fn on_fit_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.transfer_after_last_epoch(ctx)
    }

    /// Sets the buffers to valid statistics, for a checkpoint that may follow.
    fn on_exception(&mut self, ctx: &mut Context<Outside>, _: &mut M, _: &Error) -> Result<()> {
        self.end(ctx);
        Ok(self.run.norms.as_mut().map_or(Ok(()), NormStatistics::leave)?)
    }

    fn saves_when_written(&self) -> bool {
        true
    }

    fn on_save_checkpoint(&mut self, _: &mut Context<Outside>, _: &mut M, checkpoint: &mut Checkpoint) -> Result<()> {
        if let Some(weights) = &self.run.weights {
            let averages = weights.averages().into_iter();
            checkpoint.tensors.extend(averages.map(|(name, tensor)| (format!("{AVERAGE_MODEL}{name}"), tensor)));
        }
        if let Some(norms) = &self.run.norms {
            let kept = norms.tensors().map(|(name, tensor)| (format!("{NORM_STATISTICS}{name}"), tensor));
            checkpoint.tensors.extend(kept);
        }
        Ok(())
    }

    fn on_load_checkpoint(
        &mut self,
        ctx: &mut Context<Outside>,
        module: &mut M,
        checkpoint: &Checkpoint,
    ) -> Result<()> {
        if ctx.stage() == Stage::Fit && checkpoint.under(AVERAGE_MODEL).next().is_some() {
            let weights = AveragedWeights::new(trainable(module.parameters()), Vec::new())?;
            checkpoint.load_under(AVERAGE_MODEL, &weights.averages())?;
            self.run.weights = Some(weights);
        }
        let saved = checkpoint.under(NORM_STATISTICS);
        self.run.saved_norms = saved.map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())).collect();
        Ok(())
    }

    fn state_dict(&mut self, _: &mut Context<Outside>) -> Result<Value> {
        let norm_batches = self.run.norms.as_ref().map(NormStatistics::batches);
        let has_begun = self.run.weights.is_some() || norm_batches.is_some();
        let latest_epoch = self.run.latest_epoch;
        let state = has_begun.then(|| State { n_averaged: self.n_averaged(), latest_epoch, norm_batches });
        Ok(json::to_value(&state)?)
    }

    fn load_state_dict(&mut self, _: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
        let state: State = json::from_value(state_dict)?;
        self.run.saved_norm_batches = state.norm_batches;
        self.run.latest_epoch = state.latest_epoch;
        if let Some(weights) = &mut self.run.weights {
            weights.set_n_averaged(state.n_averaged);
            self.run.is_resumed = true;
        }
        Ok(())
    }
}
