//! The closure of an optimizer's step: the loss and the gradients of one batch.

use super::{Callbacks, LightningModule, LightningModuleTable, ModelHooksTable, TrainingOutput, anomaly, untrained};
use crate::config::NonFiniteLoss;
use crate::context::RunContext;
use crate::error::Error;
use crate::optim::OptimizerIndex;
use tch::Tensor;

/// Computes the loss and the gradients of the running batch, for `optimizer_step` to call once before it steps.
///
/// Running it calls, in this order: `training_step`, `on_before_zero_grad`, `optimizer_zero_grad`, `on_before_backward`,
/// `backward`, `on_after_backward`, `on_before_optimizer_step`, `configure_gradient_clipping`. Lightning's
/// [closure](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#optimizer-step).
pub struct StepClosure<'a, M: LightningModule> {
    pub(crate) callbacks: &'a mut Callbacks<M>,
    pub(crate) batch: &'a M::Batch,
    pub(crate) batch_idx: usize,
    pub(crate) optimizer: OptimizerIndex,
    /// The first batch of an accumulation window clears the gradients, the last one steps.
    pub(crate) first_of_window: bool,
    pub(crate) last_of_window: bool,
    pub(crate) output: Option<M::TrainingOutput>,
}

impl<M: LightningModule> StepClosure<'_, M> {
    /// Runs the step up to the clipped gradients. Returns the loss `[]`, or `None` where the training step had none.
    ///
    /// # Errors
    /// Those of the hooks it calls.
    pub fn run(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<Option<Tensor>, Error> {
        let (batch, batch_idx) = (self.batch, self.batch_idx);
        let is_first_run = self.output.is_none();
        if is_first_run && self.first_of_window {
            ctx.begin_loss_window()?;
        }
        let output = ctx
            .under_autocast(|ctx| LightningModuleTable::training_step(module, ctx, self.callbacks, batch, batch_idx))?;
        let loss = match output.loss() {
            // L-BFGS may try a step that is too large, and then retries with a smaller one
            Some(loss) if is_first_run && !ctx.watch_loss(loss, Some(self.optimizer))? => None,
            loss => loss.map(Tensor::shallow_clone),
        };
        if is_first_run && M::TrainingOutput::IS_WEIGHTED {
            ctx.count_terms(output.count(), self.first_of_window)?;
        }
        self.output = Some(output);
        if self.first_of_window {
            self.zero_grad(module, ctx)?;
        }
        let loss = self.share(loss, ctx)?;
        let averages = self.last_of_window;
        let agrees = averages && can_lack_loss::<M>(ctx);
        let any_has_loss = agrees && ctx.agree_on_losses(loss.is_some() || !self.first_of_window)?;
        match &loss {
            Some(loss) => backward(self.callbacks, module, ctx, loss, averages)?,
            // the others wait for the gradients of this one, which has none in this batch
            None if any_has_loss => {
                let flags = ctx.own_flags();
                ctx.strategy_mut().backward_without_loss(flags)?;
            }
            None => {}
        }
        if self.last_of_window {
            self.before_step(module, ctx)?;
        }
        Ok(loss)
    }

    /// Returns the loss divided by the number of accumulated batches, or of the terms of the window.
    fn share(&self, loss: Option<Tensor>, ctx: &mut RunContext) -> Result<Option<Tensor>, Error> {
        let divisor = if M::TrainingOutput::IS_WEIGHTED {
            ctx.divisor_of_terms(self.optimizer, self.first_of_window, self.last_of_window)?
        } else {
            ctx.config().accumulate_grad_batches as f64
        };
        match loss {
            Some(loss) if divisor != 1.0 => Ok(Some(loss.f_div_scalar(divisor)?)),
            loss => Ok(loss),
        }
    }

    fn zero_grad(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<(), Error> {
        self.callbacks.on_before_zero_grad(ctx, module, self.optimizer)?;
        ModelHooksTable::on_before_zero_grad(module, ctx, self.optimizer)?;
        let epoch = ctx.progress().current_epoch();
        LightningModuleTable::optimizer_zero_grad(module, ctx, epoch, self.batch_idx, self.optimizer)
    }

    fn before_step(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<(), Error> {
        ctx.unscale_gradients(self.optimizer)?;
        ctx.skip_step_of_bad_loss(self.optimizer)?;
        self.callbacks.on_before_optimizer_step(ctx, module, self.optimizer)?;
        ModelHooksTable::on_before_optimizer_step(module, ctx, self.optimizer)?;
        let (value, algorithm) = (ctx.config().gradient_clip_val, ctx.config().gradient_clip_algorithm);
        LightningModuleTable::configure_gradient_clipping(module, ctx, self.optimizer, value, algorithm)
    }
}

/// Whether one of several processes may have a batch without a loss.
fn can_lack_loss<M: LightningModule>(ctx: &RunContext) -> bool {
    ctx.world_size() > 1
        && (M::TrainingOutput::MAY_LACK_LOSS || ctx.config().on_non_finite_loss == NonFiniteLoss::SkipStep)
}

/// Runs a backward pass and the hooks around it, which get the scaled loss, as in Lightning. If it `averages`, the gradients are then the
/// averages of all processes.
pub(super) fn backward<M: LightningModule>(
    callbacks: &mut Callbacks<M>,
    module: &mut M,
    ctx: &mut RunContext,
    loss: &Tensor,
    averages: bool,
) -> Result<(), Error> {
    let loss = &ctx.scaled(loss)?;
    callbacks.on_before_backward(ctx, module, loss)?;
    ModelHooksTable::on_before_backward(module, ctx, loss)?;
    untrained::warn_of_foreign_tensors(module, ctx, loss)?;
    if averages {
        ctx.strategy_mut().begin_backward(loss)?;
    }
    LightningModuleTable::backward(module, ctx, loss).map_err(|error| {
        let explained = ctx.strategy().explain_backward(&error.to_string());
        explained.map_or(error, Error::from)
    })?;
    untrained::warn_without_gradients(ctx);
    if averages {
        let flags = ctx.own_flags();
        ctx.strategy_mut().end_backward(flags)?;
    }
    anomaly::check_gradients(module, ctx)?;
    callbacks.on_after_backward(ctx, module)?;
    ModelHooksTable::on_after_backward(module, ctx)
}
