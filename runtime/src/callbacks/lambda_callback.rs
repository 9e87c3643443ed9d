//! A callback made of closures.

use crate::checkpoint::Checkpoint;
use crate::context::Context;
use crate::context::phase::{Epoch, Outside, Step};
use crate::error::Error;
use crate::module::{Callback, LightningModule};
use crate::optim::OptimizerIndex;
use crate::stage::Stage;
use anyhow::Result;
use std::fmt;
use tch::Tensor;

/// A callback made of closures, one per hook. Lightning's
/// [`LambdaCallback`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LambdaCallback.html).
///
/// Each hook of [`Callback`](trait@crate::Callback) has a method of the same name. Its closure takes all of the hook's
/// parameters, in their order, and returns `()` or a `Result<()>`. A second closure for a hook replaces the first.
///
/// For a callback with state in checkpoints, or with state shared by several hooks, write a struct under
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
    /// Creates a callback without closures.
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
