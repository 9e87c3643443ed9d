//! Changes the number of accumulated batches during training.

use crate::context::phase::{Epoch, Outside};
use crate::context::{Context, PlannedAccumulation, RunContext};
use crate::error::Error;
use crate::module::{Callback, LightningModule};
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Changes the number of batches per optimizer step at given epochs. Lightning's
/// [`GradientAccumulationScheduler`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.GradientAccumulationScheduler.html).
///
/// The callback sets `accumulate_grad_batches` when an epoch begins, and resets it to 1 when training ends; the trainer's own
/// setting must be 1. As without it, the optimizer also steps after the last batch of each epoch.
///
/// ```
/// use tch_lightning::callbacks::GradientAccumulationScheduler;
///
/// // 8 batches per step in the first four epochs, then 4, and a single one from the ninth epoch
/// let accumulation = GradientAccumulationScheduler::new([(0, 8), (4, 4), (8, 1)]);
/// assert_eq!([0, 3, 4, 9].map(|epoch| accumulation.accumulate_grad_batches(epoch)), [8, 8, 4, 1]);
/// ```
///
/// # Errors
/// `fit` fails if no epoch is given, if a number of batches is 0, if the trainer's `accumulate_grad_batches` is not 1, and
/// if the module uses manual optimization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct GradientAccumulationScheduler {
    /// The number of batches per step, by the epoch, from 0, at which it takes effect. Before the first given epoch, the
    /// optimizer steps after each batch.
    pub scheduling: BTreeMap<usize, usize>,
    #[serde(skip)]
    is_running: bool,
}

impl GradientAccumulationScheduler {
    /// Creates a scheduler from pairs of an epoch, from 0, and the number of batches per step from that epoch on.
    pub fn new(scheduling: impl IntoIterator<Item = (usize, usize)>) -> Self {
        Self { scheduling: scheduling.into_iter().collect(), is_running: false }
    }

    /// Returns the number of batches per step in an epoch.
    pub fn accumulate_grad_batches(&self, epoch: usize) -> usize {
        self.scheduling.range(..=epoch).next_back().map_or(1, |(_, batches)| *batches)
    }

    fn check<M: LightningModule>(&self, ctx: &RunContext) -> Result<(), Error> {
        let mistake = if self.scheduling.is_empty() {
            "`scheduling` must contain at least one epoch"
        } else if self.scheduling.values().any(|batches| *batches == 0) {
            "the number of batches must be at least 1, but it is 0"
        } else if ctx.config().accumulate_grad_batches != 1 {
            "the trainer's `accumulate_grad_batches` must be 1: remove it, or this callback"
        } else if !M::AUTOMATIC_OPTIMIZATION {
            "this module uses manual optimization: accumulate gradients in `training_step`"
        } else {
            return Ok(());
        };
        Err(Error::configuration(format!("GradientAccumulationScheduler: {mistake}")))
    }

    fn set(&self, ctx: &mut RunContext) -> Result<()> {
        let batches = self.accumulate_grad_batches(ctx.current_epoch());
        Ok(ctx.set_accumulate_grad_batches(batches)?)
    }

    /// Resets the trainer's number of batches.
    fn end(&mut self, ctx: &mut RunContext) -> Result<()> {
        if std::mem::take(&mut self.is_running) { Ok(ctx.set_accumulate_grad_batches(1)?) } else { Ok(()) }
    }
}

impl<M: LightningModule> Callback<M> for GradientAccumulationScheduler {
    fn name(&self) -> &'static str {
        "GradientAccumulationScheduler"
    }

    fn setup(&mut self, ctx: &mut Context<Outside>, _: &mut M, stage: Stage) -> Result<()> {
        if stage == Stage::Fit {
            self.check::<M>(ctx)?;
            let is_constant = self.scheduling.keys().eq([&0]);
            let constant = PlannedAccumulation::Constant(self.accumulate_grad_batches(0));
            ctx.plan_accumulation(if is_constant { constant } else { PlannedAccumulation::Varying });
        }
        Ok(())
    }

    /// Sets the number of batches of a run that resumes within an epoch, where `on_train_epoch_start` is not called.
    fn on_train_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.is_running = true;
        self.set(ctx)
    }

    fn on_train_epoch_start(&mut self, ctx: &mut Context<Epoch>, _: &mut M) -> Result<()> {
        self.set(ctx)
    }

    fn on_train_end(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        self.end(ctx)
    }
}
