use super::{LearningRateCurve, LearningRateFinder};
use crate::context::phase::{Outside, Step};
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::module::{Callback, LightningModule, TrainingOutput};
use anyhow::Result;

/// The weight of the previous smoothed loss in the next one.
const BETA: f64 = 0.98;

/// Raises the learning rate with each step, and records the losses.
pub(super) struct Sweep {
    finder: LearningRateFinder,
    curve: LearningRateCurve,
    average: f64,
    best: f64,
}

impl Sweep {
    pub(super) fn new(finder: LearningRateFinder) -> Self {
        Self { finder, curve: LearningRateCurve::default(), average: 0.0, best: f64::INFINITY }
    }

    pub(super) fn curve(&self) -> LearningRateCurve {
        self.curve.clone()
    }

    fn begin_step(&mut self, ctx: &mut RunContext) {
        // a skipped step has a learning rate but no loss
        self.curve.lrs.truncate(self.curve.losses.len());
        let lr = self.finder.lr(self.curve.lrs.len());
        ctx.optimizers_mut().iter_mut().for_each(|optimizer| optimizer.set_lr(lr));
        self.curve.lrs.push(lr);
    }

    /// Adds a loss. Returns whether the test ends.
    fn add(&mut self, loss: f64) -> bool {
        let step = self.curve.lrs.len();
        self.average = BETA * self.average + (1.0 - BETA) * loss;
        // Lightning counts one step too many
        let smoothed = self.average / (1.0 - BETA.powi(step as i32 + 1));
        let threshold = self.finder.early_stop_threshold;
        let diverges = step > 1 && threshold.is_some_and(|threshold| smoothed > threshold * self.best);
        if smoothed < self.best || step == 1 {
            self.best = smoothed;
        }
        self.curve.losses.push(smoothed);
        diverges
    }
}

impl<M: LightningModule> Callback<M> for Sweep {
    fn name(&self) -> &'static str {
        "LearningRateFinder"
    }

    fn on_fit_start(&mut self, ctx: &mut Context<Outside>, _: &mut M) -> Result<()> {
        let optimizers = ctx.optimizers().len();
        if optimizers != 1 {
            let mistake = format!("LearningRateFinder: it needs one optimizer, and the module has {optimizers}");
            return Err(Error::configuration(mistake).into());
        }
        ctx.remove_lr_schedulers();
        Ok(())
    }

    fn on_train_batch_start(&mut self, ctx: &mut Context<Step>, _: &mut M, _: &M::Batch, _: usize) -> Result<()> {
        if ctx.steps_after_this_batch() {
            self.begin_step(ctx);
        }
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context<Step>,
        _: &mut M,
        outputs: &M::TrainingOutput,
        _: &M::Batch,
        _: usize,
    ) -> Result<()> {
        if !ctx.steps_after_this_batch() {
            return Ok(());
        }
        match outputs.loss() {
            None => self.curve.losses.push(f64::NAN),
            Some(loss) if self.add(loss.f_double_value(&[])? / outputs.count().max(1) as f64) => ctx.stop(),
            Some(_) => {}
        }
        Ok(())
    }
}
