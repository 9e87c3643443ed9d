//! Averages the weights of the last epochs.

mod epoch_start;
mod norm_statistics;

pub use epoch_start::EpochStart;

use super::averaged_weights::AveragedWeights;
use crate::checkpoint::Checkpoint;
use crate::context::phase::{Epoch, Outside};
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

/// Averages the weights of the last epochs, which are trained with a rate of their own, and ends with the average.
/// Lightning's
/// [`StochasticWeightAveraging`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.StochasticWeightAveraging.html),
/// with its defaults.
///
/// From its first epoch on the learning rate goes to `swa_lrs`, by a [`SwaLr`] that takes the place of the module's
/// scheduler, and at the beginning of each epoch the weights enter the average. It lies on the module's device. After
/// the last epoch the average is the module's; a run that ends before keeps its own weights.
///
/// Where the module has batch norms, whose running statistics are those of other weights, one more epoch follows: its
/// training steps run without gradients and without the optimizer, and the statistics become the plain means over its
/// batches. The first of them goes through `training_step` twice. A module that optimizes manually has no such epoch.
///
/// [Izmailov et al., *Averaging Weights Leads to Wider Optima and Better
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
/// `fit` fails where a rate is not above 0, where the start is a fraction below 0 or above 1, or epoch 0, where it is a
/// fraction and the epochs are not limited, and where there is not one optimizer, or more than one scheduler.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct StochasticWeightAveraging {
    /// The learning rate at which weights are averaged, for all parameter groups or for each.
    pub swa_lrs: PerGroup<f64>,
    /// The first epoch, counted from 1, or the fraction of the epochs that go before. Default 0.8.
    #[serde(default)]
    pub swa_epoch_start: EpochStart,
    /// How many epochs the learning rate takes to get there. Default 10.
    #[serde(default = "default_annealing_epochs")]
    pub annealing_epochs: u64,
    /// The curve on which it does. Default [`AnnealStrategy::Cos`].
    #[serde(default)]
    pub annealing_strategy: AnnealStrategy,
    #[serde(skip)]
    run: Run,
}

fn default_annealing_epochs() -> u64 {
    10
}

/// What is known of the running run alone.
#[derive(Debug, Default)]
struct Run {
    /// The first epoch, from 0.
    start: usize,
    /// The last epoch, from 0; `None` without a limit.
    end: Option<usize>,
    /// The trainer's own `max_epochs`, where there is one epoch more.
    max_epochs: Option<Option<i64>>,
    weights: Option<AveragedWeights>,
    /// The epoch whose weights entered the average last: a resumed run may begin that epoch again.
    latest_epoch: Option<usize>,
    is_resumed: bool,
    norms: Option<NormStatistics>,
    /// The batch norms' statistics in the checkpoint that the run began from.
    saved_norms: BTreeMap<String, Tensor>,
    saved_norm_batches: Option<u64>,
}

/// What a checkpoint keeps, besides tensors, once the average has begun.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    n_averaged: u64,
    #[serde(default)]
    latest_epoch: Option<usize>,
    /// The batches of the epoch for batch norms; `None` outside of it.
    #[serde(default)]
    norm_batches: Option<u64>,
}

const NAME: &str = "StochasticWeightAveraging";

/// What stands before the names of the averages in a checkpoint.
const AVERAGE_MODEL: &str = "average_model.";

/// What stands before the names of the batch norms' statistics in a checkpoint.
const NORM_STATISTICS: &str = "norm_statistics.";

impl StochasticWeightAveraging {
    /// Averages the weights of the last fifth of the epochs, trained with this rate.
    pub fn new(swa_lrs: impl Into<PerGroup<f64>>) -> Self {
        Self {
            swa_lrs: swa_lrs.into(),
            swa_epoch_start: EpochStart::default(),
            annealing_epochs: default_annealing_epochs(),
            annealing_strategy: AnnealStrategy::default(),
            run: Run::default(),
        }
    }

    /// Sets the first epoch, counted from 1, or the fraction of the epochs that go before.
    pub fn swa_epoch_start(self, start: impl Into<EpochStart>) -> Self {
        Self { swa_epoch_start: start.into(), ..self }
    }

    /// Sets how many epochs the learning rate takes.
    pub fn annealing_epochs(self, annealing_epochs: u64) -> Self {
        Self { annealing_epochs, ..self }
    }

    /// Sets the curve on which the learning rate goes.
    pub fn annealing_strategy(self, annealing_strategy: AnnealStrategy) -> Self {
        Self { annealing_strategy, ..self }
    }

    /// How many weights are in the average of the running or the last `fit`.
    pub fn n_averaged(&self) -> u64 {
        self.run.weights.as_ref().map_or(0, AveragedWeights::n_averaged)
    }

    /// The first epoch, from 0, if all is right.
    fn check(&self, ctx: &RunContext) -> Result<usize, Error> {
        let is_positive = |lr: &f64| *lr > 0.0 && lr.is_finite();
        let (optimizers, schedulers) = (ctx.optimizers().len(), ctx.lr_schedulers().len());
        let mistake = if !self.swa_lrs.values().iter().all(is_positive) {
            "`swa_lrs` must be numbers above 0".to_owned()
        } else if optimizers != 1 {
            format!("it needs one optimizer, and the module has {optimizers}")
        } else if schedulers > 1 {
            format!("it takes the place of one scheduler, and the module has {schedulers}")
        } else {
            match self.swa_epoch_start.first_epoch(ctx.config().epochs()) {
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

    /// Gives the run what was changed of it.
    fn end(&mut self, ctx: &mut RunContext) {
        if let Some(max_epochs) = self.run.max_epochs.take() {
            ctx.set_max_epochs(max_epochs);
        }
    }

    /// Takes the place of the module's scheduler.
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
        // the epoch has been counted by now
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
        self.run.end = ctx.config().epochs().and_then(|epochs| epochs.checked_sub(1));
        if M::AUTOMATIC_OPTIMIZATION && NormStatistics::are_in(module.parameters()) {
            self.extend(ctx);
        }
        // before the run gets its rates and the schedulers' states back
        if self.run.is_resumed { Ok(self.schedule(ctx)?) } else { Ok(()) }
    }

    /// A run that is resumed within the epoch for batch norms has the average in its module already.
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
        ctx: &mut Context,
        module: &mut M,
        batch: &M::Batch,
        batch_idx: usize,
    ) -> Result<()> {
        let Some(norms) = &mut self.run.norms else { return Ok(()) };
        if norms.needs_momenta() {
            // the step to come logs the batch, and calls the callbacks
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
        _: &mut Context,
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

    /// A run that is resumed after its last epoch trains nothing, and ends with the average all the same.
    fn on_fit_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.transfer_after_last_epoch(ctx)
    }

    /// The statistics are kept for the checkpoint that may be written now.
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
