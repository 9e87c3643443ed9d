//! A callback of a few closures.

use crate::checkpoint::Checkpoint;
use crate::context::Context;
use crate::context::phase::{Epoch, Outside};
use crate::error::Error;
use crate::module::{Callback, LightningModule};
use crate::optim::OptimizerIndex;
use crate::stage::Stage;
use anyhow::Result;
use std::fmt;
use tch::Tensor;

/// A callback that is made of closures, one for each hook that it needs. Lightning's
/// [`LambdaCallback`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LambdaCallback.html).
///
/// There is a method for each hook of [`Callback`](trait@crate::Callback), of its name. The closure takes the hook's
/// parameters, all of them and in their order, and returns nothing or a `Result<()>`. A second closure for a hook takes
/// the place of the first.
///
/// What keeps something in checkpoints, or needs the same state in several hooks, is better written as a struct under
/// [`#[lightning_callback]`](crate::lightning_callback).
///
/// ```
/// use tch_lightning::callbacks::LambdaCallback;
/// use tch_lightning::prelude::*;
/// # struct Line { vs: nn::VarStore, layer: nn::Linear }
/// # #[lightning_module]
/// # impl Line {
/// #     fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// #     fn training_step(&self, batch: &Tensor) -> Tensor { self.layer.forward(batch).square().mean(Kind::Float) }
/// #     fn configure_optimizers(&self) -> Sgd { Sgd::new(0.1) }
/// # }
///
/// let trainer: Trainer<Line> = Line::trainer().callback(
///     LambdaCallback::new()
///         .on_train_epoch_end(|ctx, line: &mut Line| {
///             ctx.log("weight", line.layer.ws.mean(Kind::Float));
///         })
///         .on_train_end(|ctx, _| {
///             std::fs::write(ctx.log_dir()?.join("done"), "")?;
///             Ok(())
///         }),
/// );
/// ```
pub struct LambdaCallback<M: LightningModule> {
    lambdas: Lambdas<M>,
}

impl<M: LightningModule> LambdaCallback<M> {
    /// A callback that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<M: LightningModule> Default for LambdaCallback<M> {
    fn default() -> Self {
        Self { lambdas: Lambdas::default() }
    }
}

impl<M: LightningModule> fmt::Debug for LambdaCallback<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LambdaCallback")
    }
}

/// The type that a closure of a [`LambdaCallback`] returns: `()`, or a `Result<()>`. Sealed.
#[diagnostic::on_unimplemented(
    message = "a closure of a LambdaCallback cannot return `{Self}`",
    label = "return `()`, or a `Result<()>` if the closure can fail"
)]
pub trait LambdaReturn: sealed::Sealed {
    /// Converts the value into the result of the hook.
    ///
    /// # Errors
    /// The closure's own.
    fn into_result(self) -> Result<()>;
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for () {}
impl sealed::Sealed for Result<()> {}

impl LambdaReturn for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

// for a single error type, so that `?` in a closure needs no annotation
impl LambdaReturn for Result<()> {
    fn into_result(self) -> Result<()> {
        self
    }
}

tch_lightning_macros::declare_hooks!(LambdaCallback);
