//! Manual optimization: the methods of the context for a training step that steps the optimizers itself.

use super::{Callbacks, LightningModule, ModelHooksTable, anomaly, closure};
use crate::context::Context;
use crate::context::phase::Step;
use crate::error::Error;
use crate::messages;
use crate::optim::{Optimizer, OptimizerError, OptimizerIndex, Progress};
use std::ops::{Deref, DerefMut};
use tch::Tensor;

/// A module with manual optimization: its `training_step` runs the backward passes and steps the optimizers:
/// `#[lightning_module(automatic_optimization = false)]`.
#[diagnostic::on_unimplemented(
    label = "`{Self}` is optimized automatically: write `#[lightning_module(automatic_optimization = false)]` above its block",
    note = "if you implement the traits by hand, set `AUTOMATIC_OPTIMIZATION` to `false` and write `impl OptimizesManually for {Self} {{}}`"
)]
pub trait OptimizesManually: LightningModule {}

/// The context of [`training_step`](LightningModule::training_step), with the callbacks whose hooks manual optimization calls.
///
/// In an annotated block it is written `ctx: &mut Context`, as in every hook, also in a method that `training_step` calls, and that runs a
/// backward pass or steps an optimizer. Other code takes it under its own name:
///
/// ```
/// # use tch_lightning::prelude::*;
/// # struct Model { vs: nn::VarStore, net: nn::Linear }
/// #[lightning_module(automatic_optimization = false)]
/// impl Model {
///     fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor)) -> Result<()> {
///         let loss = self.net.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean);
///         self.optimize(ctx, &loss)
///     }
///
///     fn optimize(&mut self, ctx: &mut Context, loss: &Tensor) -> Result<()> {
///         ctx.optimizer(0).zero_grad()?;
///         ctx.manual_backward(self, loss)?;
///         step(self, ctx)
///     }
///     // …
/// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// #   fn configure_optimizers(&self) -> AdamW { AdamW::new(1e-3) }
/// }
///
/// fn step(model: &mut Model, ctx: &mut TrainingContext<'_, Model>) -> Result<()> {
///     Ok(ctx.manual_step(model, 0)?)
/// }
/// ```
pub struct TrainingContext<'a, M: LightningModule> {
    ctx: &'a mut Context<Step>,
    callbacks: &'a mut Callbacks<M>,
}

impl<'a, M: LightningModule> TrainingContext<'a, M> {
    pub(crate) fn new(ctx: &'a mut Context<Step>, callbacks: &'a mut Callbacks<M>) -> Self {
        Self { ctx, callbacks }
    }
}

impl<M: LightningModule> Deref for TrainingContext<'_, M> {
    type Target = Context<Step>;

    fn deref(&self) -> &Context<Step> {
        self.ctx
    }
}

impl<M: LightningModule> DerefMut for TrainingContext<'_, M> {
    fn deref_mut(&mut self) -> &mut Context<Step> {
        self.ctx
    }
}

impl<M: OptimizesManually> TrainingContext<'_, M> {
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
    /// With several processes, the gradients are averaged over all of them, except in [`no_sync`](Self::no_sync).
    ///
    /// # Errors
    /// Those of the hooks `on_before_backward`, `backward` and `on_after_backward`; [`Error::NonFiniteLoss`].
    pub fn manual_backward(&mut self, module: &mut M, loss: &Tensor) -> Result<(), Error> {
        let callbacks = &mut *self.callbacks;
        self.ctx.outside_of_autocast(|ctx| {
            let is_finite = ctx.watch_loss(loss, None)?;
            let averages = ctx.begin_manual_pass();
            if if averages { ctx.all_losses_are_finite(is_finite)? } else { is_finite } {
                closure::backward(callbacks, module, ctx, loss, averages)
            } else {
                Ok(())
            }
        })
    }

    /// Runs `passes`, in which [`manual_backward`](Self::manual_backward) does not average gradients over several processes: it adds them
    /// to those of this process. The next `manual_backward` outside averages the sums. With one process, this only runs `passes`. As
    /// [`no_sync`](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html#torch.nn.parallel.DistributedDataParallel.no_sync)
    /// of PyTorch's `DistributedDataParallel`, and Lightning's
    /// [`block_backward_sync`](https://lightning.ai/docs/pytorch/stable/advanced/model_parallel.html).
    ///
    /// Accumulate the gradients of four batches, and average them once:
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Model { vs: nn::VarStore, net: nn::Linear }
    /// #[lightning_module(automatic_optimization = false)]
    /// impl Model {
    ///     fn training_step(&mut self, ctx: &mut Context, batch: &(Tensor, Tensor), batch_idx: usize) -> Result<()> {
    ///         let loss = self.net.forward(&batch.0).mse_loss(&batch.1, tch::Reduction::Mean) / 4.0;
    ///         if !(batch_idx + 1).is_multiple_of(4) && !ctx.is_last_batch() {
    ///             ctx.no_sync(|ctx| ctx.manual_backward(self, &loss))?;
    ///             return Ok(());
    ///         }
    ///         ctx.manual_backward(self, &loss)?;
    ///         ctx.manual_step(self, 0)?;
    ///         ctx.optimizer(0).zero_grad()?;
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
    /// The passes do not communicate, so a process may skip them, but all call `no_sync` and the averaged `manual_backward` in the same
    /// batches. Until the gradients are averaged:
    ///
    /// - A [`manual_step`](Self::manual_step) is refused with several processes, as their parameters would differ after it.
    /// - Processes stop together, for a signal or [`stop`](crate::context::RunContext::stop), after the batch in which
    ///   gradients are averaged next, and rank 0's buffers are not sent.
    /// - A value that is logged with `sync_dist` on a step is that of its process.
    /// - A checkpoint contains the gradients of each process. A run that resumes from it with the same number of processes continues exactly
    ///   where it was; with another number, each process begins with the average of these gradients.
    pub fn no_sync<T>(&mut self, passes: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.ctx.keep_gradients_local(true);
        let outcome = passes(self);
        self.ctx.keep_gradients_local(before);
        outcome
    }

    /// Steps an optimizer after the hooks `on_before_optimizer_step`, and counts the step. For manual optimization, in
    /// `training_step`; Lightning's `optimizer.step()` there.
    ///
    /// An [`Optimizer`]'s own `step` does neither, and refuses the gradients of a scaled loss.
    ///
    /// # Errors
    /// Those of the hooks and of the optimizer; [`StrategyError::LocalGradients`](crate::strategy::StrategyError::LocalGradients) after passes
    /// in [`no_sync`](Self::no_sync) alone.
    pub fn manual_step(&mut self, module: &mut M, optimizer: impl Into<OptimizerIndex>) -> Result<(), Error> {
        self.step(module, optimizer.into(), |optimizer| optimizer.step().map(|()| Progress::Done)).map(drop)
    }

    /// Like [`manual_step`](Self::manual_step), for optimizers such as L-BFGS that may evaluate the loss several times per
    /// step. After [`Progress::Again`], compute the loss and the gradients again with the current parameters, and call it again.
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
    pub fn manual_step_on(
        &mut self,
        module: &mut M,
        optimizer: impl Into<OptimizerIndex>,
        loss: &Tensor,
    ) -> Result<Progress, Error> {
        self.step(module, optimizer.into(), |optimizer| optimizer.step_on(Some(loss)))
    }

    /// Calls the hooks before a step, steps, and counts a step that is done. As in automatic optimization, that is outside of the
    /// autocast of `training_step`.
    fn step(
        &mut self,
        module: &mut M,
        optimizer: OptimizerIndex,
        step: impl FnOnce(&mut Optimizer) -> Result<Progress, OptimizerError>,
    ) -> Result<Progress, Error> {
        let callbacks = &mut *self.callbacks;
        self.ctx.outside_of_autocast(|ctx| {
            ctx.check_gradients_are_averaged()?;
            ctx.unscale_gradients(optimizer)?;
            ctx.skip_step_of_bad_loss(optimizer)?;
            callbacks.on_before_optimizer_step(ctx, module, optimizer)?;
            ModelHooksTable::on_before_optimizer_step(module, ctx, optimizer)?;
            warn_without_gradients(ctx.optimizer(optimizer), optimizer);
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
}

/// Warns if the first step of an optimizer has no gradients, so that it changes nothing.
fn warn_without_gradients(optimizer: &Optimizer, index: OptimizerIndex) {
    if optimizer.steps() == 0 && !optimizer.has_gradients() {
        messages::warning!(
            "the first step of optimizer {} changes nothing, as none of its parameters has a gradient: call \
             `ctx.manual_backward(self, &loss)?` before it",
            index.get()
        );
    }
}

/// Never implemented. Calls of manual optimization on other contexts require it, so that the compiler reports this trait's message.
#[diagnostic::on_unimplemented(
    message = "`manual_backward`, `manual_step` and `no_sync` can only be called on the `ctx` of `training_step`, in a module that is optimized manually [TL0410]",
    label = "`{Self}` is optimized automatically, or this is not the `ctx` of its `training_step`",
    note = "write `#[lightning_module(automatic_optimization = false)]` above the block; a method of another block that `training_step` calls takes `ctx: &mut TrainingContext<'_, Self>`"
)]
pub trait OptimizesAnywhere: LightningModule {
    #[doc(hidden)]
    fn never<T>(&self) -> T;
}

/// Never implemented, as [`OptimizesAnywhere`]: for a method that does not take the module.
#[diagnostic::on_unimplemented(
    message = "`manual_backward`, `manual_step` and `no_sync` can only be called on the `ctx` of `training_step`, in a module that is optimized manually [TL0410]",
    label = "the module is optimized automatically, or this is not the `ctx` of its `training_step`",
    note = "write `#[lightning_module(automatic_optimization = false)]` above the block; a method of another block that `training_step` calls takes `ctx: &mut TrainingContext<'_, Self>`"
)]
pub trait AccumulatesAnywhere {
    #[doc(hidden)]
    fn never<T>(&self) -> T;
}

/// The methods of manual optimization on contexts other than that of `training_step`, where they are compile errors.
impl<At> Context<At> {
    #[doc(hidden)]
    pub fn manual_backward<M: OptimizesAnywhere>(&mut self, module: &mut M, _: &Tensor) -> Result<(), Error> {
        module.never()
    }

    #[doc(hidden)]
    pub fn no_sync<T>(&mut self, _: impl FnOnce(&mut Self) -> T) -> T
    where
        Self: AccumulatesAnywhere,
    {
        self.never()
    }

    #[doc(hidden)]
    pub fn manual_step<M: OptimizesAnywhere>(
        &mut self,
        module: &mut M,
        _: impl Into<OptimizerIndex>,
    ) -> Result<(), Error> {
        module.never()
    }

    #[doc(hidden)]
    pub fn manual_step_on<M: OptimizesAnywhere>(
        &mut self,
        module: &mut M,
        _: impl Into<OptimizerIndex>,
        _: &Tensor,
    ) -> Result<Progress, Error> {
        module.never()
    }
}
