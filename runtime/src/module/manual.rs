//! Manual optimization: what a training step that steps the optimizers by itself asks of the context.

use super::{Callbacks, LightningModule, ModelHooksTable, anomaly, closure};
use crate::context::phase::Step;
use crate::context::{Context, RunContext};
use crate::error::Error;
use crate::optim::{Optimizer, OptimizerError, OptimizerIndex, Progress};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use tch::Tensor;

/// A module whose `training_step` runs the backward passes and steps the optimizers by itself:
/// `#[lightning_module(automatic_optimization = false)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` uses automatic optimization: `training_step` returns the loss, and the trainer does the rest [TL0410]",
    label = "remove this, or write `#[lightning_module(automatic_optimization = false)]` above the block",
    note = "if you implement the traits by hand, set `AUTOMATIC_OPTIMIZATION` to `false` and write `impl OptimizesManually for {Self} {{}}`"
)]
pub trait OptimizesManually: LightningModule {}

impl Context<Step> {
    /// Runs the backward pass of `loss`, a scalar, with the hooks around it. For manual optimization, in `training_step`;
    /// Lightning's
    /// [`self.manual_backward`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#manual-backward).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore, net: nn::Linear }
    /// #[lightning_module(automatic_optimization = false)]
    /// impl Model {
    ///     fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
    ///         let loss = self.net.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean);
    ///         ctx.optimizer(0).zero_grad()?;
    ///         ctx.manual_backward(self, &loss)?;
    ///         ctx.manual_step(self, 0)?;
    ///         Ok(())
    ///     }
    ///
    ///     fn configure_optimizers(&self) -> AdamW {
    ///         AdamW::new(1e-3)
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    ///
    /// A loss that is NaN or infinite ends the run, or with [`NonFiniteLoss::SkipStep`](crate::trainer::NonFiniteLoss::SkipStep) leaves
    /// out the next [`manual_step`](Self::manual_step).
    ///
    /// # Errors
    /// Those of the hooks `on_before_backward`, `backward` and `on_after_backward`; [`Error::NonFiniteLoss`];
    /// [`Error::NotInTrainingStep`] elsewhere.
    pub fn manual_backward<M>(&mut self, module: &mut M, loss: &Tensor) -> Result<(), Error>
    where
        M: OptimizesManually,
    {
        with_callbacks("manual_backward", self, |ctx, callbacks| {
            if ctx.watch_loss(loss, None)? { closure::backward(callbacks, module, ctx, loss) } else { Ok(()) }
        })
    }

    /// Steps an optimizer after the hooks `on_before_optimizer_step`, and counts the step. For manual optimization, in
    /// `training_step`; Lightning's `optimizer.step()` there.
    ///
    /// An [`Optimizer`]'s own `step` does neither, and refuses the gradients of a scaled loss.
    ///
    /// # Errors
    /// Those of the hooks and of the optimizer; [`Error::NotInTrainingStep`] elsewhere.
    pub fn manual_step<M>(&mut self, module: &mut M, optimizer: impl Into<OptimizerIndex>) -> Result<(), Error>
    where
        M: OptimizesManually,
    {
        step("manual_step", self, module, optimizer.into(), |optimizer| optimizer.step().map(|()| Progress::Done))
            .map(drop)
    }

    /// As [`manual_step`](Self::manual_step), for optimizers that may evaluate the loss several times a step, as L-BFGS: on
    /// [`Progress::Again`] it asks for the loss and the gradients where the parameters are now.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::optim::{Lbfgs, Progress};
    /// # struct Model { vs: nn::VarStore, net: nn::Linear }
    /// #[lightning_module(automatic_optimization = false)]
    /// impl Model {
    ///     fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
    ///         loop {
    ///             let loss = self.net.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean);
    ///             ctx.optimizer(0).zero_grad()?;
    ///             ctx.manual_backward(self, &loss)?;
    ///             if ctx.manual_step_on(self, 0, &loss)? == Progress::Done {
    ///                 return Ok(());
    ///             }
    ///         }
    ///     }
    ///
    ///     fn configure_optimizers(&self) -> Lbfgs {
    ///         Lbfgs::new(1.0)
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`manual_step`](Self::manual_step).
    pub fn manual_step_on<M>(
        &mut self,
        module: &mut M,
        optimizer: impl Into<OptimizerIndex>,
        loss: &Tensor,
    ) -> Result<Progress, Error>
    where
        M: OptimizesManually,
    {
        step("manual_step_on", self, module, optimizer.into(), |optimizer| optimizer.step_on(Some(loss)))
    }
}

/// Calls the hooks before a step, steps, and counts a step that is done.
fn step<M: OptimizesManually>(
    method: &'static str,
    ctx: &mut RunContext,
    module: &mut M,
    optimizer: OptimizerIndex,
    step: impl FnOnce(&mut Optimizer) -> Result<Progress, OptimizerError>,
) -> Result<Progress, Error> {
    with_callbacks(method, ctx, |ctx, callbacks| {
        ctx.unscale_gradients(optimizer)?;
        ctx.skip_step_of_bad_loss(optimizer)?;
        callbacks.on_before_optimizer_step(ctx, module, optimizer)?;
        ModelHooksTable::on_before_optimizer_step(module, ctx, optimizer)?;
        let progress = step(ctx.optimizer(optimizer))?;
        if progress == Progress::Done {
            ctx.begin_loss_window()?;
            ctx.update_scale()?;
            ctx.progress_mut().count_step();
            anomaly::check_parameters(module, ctx)?;
        }
        Ok(progress)
    })
}

/// Calls with the callbacks, which the loop has lent to the context, and outside of the step's autocast, as in automatic
/// optimization.
fn with_callbacks<M: LightningModule, T>(
    method: &'static str,
    ctx: &mut RunContext,
    call: impl FnOnce(&mut RunContext, &mut Callbacks<M>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut callbacks = ctx.lent.take_back().ok_or(Error::NotInTrainingStep { method })?;
    // a panic in between, such as of an optimizer that is not there, must not take the callbacks with it
    let outcome = catch_unwind(AssertUnwindSafe(|| ctx.outside_of_autocast(|ctx| call(ctx, &mut callbacks))));
    ctx.lent.lend(callbacks);
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}
