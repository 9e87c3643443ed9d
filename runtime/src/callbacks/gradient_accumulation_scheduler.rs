//! Changes over training how many batches a step of the optimizer gathers.

use crate::context::phase::{Epoch, Outside};
use crate::context::{Context, PlannedAccumulation, RunContext};
use crate::error::Error;
use crate::module::{Callback, LightningModule};
use crate::stage::Stage;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Changes after how many batches the optimizer steps, from given epochs on. Lightning's
/// [`GradientAccumulationScheduler`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.GradientAccumulationScheduler.html).
///
/// It sets `accumulate_grad_batches` when an epoch begins; the trainer's own must be left at 1, and it is 1 again when
/// training has ended. As everywhere, the optimizer steps after the last batch of an epoch too.
///
/// ```
/// use tch_lightning::callbacks::GradientAccumulationScheduler;
///
/// // 8 batches a step in the first four epochs, then 4, and from the ninth epoch on each by itself
/// let accumulation = GradientAccumulationScheduler::new([(0, 8), (4, 4), (8, 1)]);
/// assert_eq!([0, 3, 4, 9].map(|epoch| accumulation.accumulate_grad_batches(epoch)), [8, 8, 4, 1]);
/// ```
///
/// # Errors
/// `fit` fails where no epoch or a number of 0 batches is given, where the trainer's `accumulate_grad_batches` is not
/// 1, and where the module optimizes manually.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct GradientAccumulationScheduler {
    /// The batches of a step, by the epoch from which on they count, the first epoch being 0. Before the first that is
    /// given, the optimizer steps after each batch.
    pub scheduling: BTreeMap<usize, usize>,
    #[serde(skip)]
    is_running: bool,
}

impl GradientAccumulationScheduler {
    /// Accumulates by pairs of an epoch, from 0, and the batches of a step from that epoch on.
    pub fn new(scheduling: impl IntoIterator<Item = (usize, usize)>) -> Self {
        Self { scheduling: scheduling.into_iter().collect(), is_running: false }
    }

    /// The batches of a step in an epoch.
    pub fn accumulate_grad_batches(&self, epoch: usize) -> usize {
        self.scheduling.range(..=epoch).next_back().map_or(1, |(_, batches)| *batches)
    }

    fn check<M: LightningModule>(&self, ctx: &RunContext) -> Result<(), Error> {
        let mistake = if self.scheduling.is_empty() {
            "it needs an epoch with its number of batches: give at least one"
        } else if self.scheduling.values().any(|batches| *batches == 0) {
            "a number of batches is 0: it must be at least 1"
        } else if ctx.config().accumulate_grad_batches != 1 {
            "the trainer's `accumulate_grad_batches` is not 1: leave one of the two out"
        } else if !M::AUTOMATIC_OPTIMIZATION {
            "this module optimizes manually: accumulate in `training_step`"
        } else {
            return Ok(());
        };
        Err(Error::configuration(format!("GradientAccumulationScheduler: {mistake}")))
    }

    fn set(&self, ctx: &mut RunContext) -> Result<()> {
        let batches = self.accumulate_grad_batches(ctx.current_epoch());
        Ok(ctx.set_accumulate_grad_batches(batches)?)
    }

    /// Gives the trainer its own number back.
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

    /// A run that is resumed within an epoch does not begin it again.
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
