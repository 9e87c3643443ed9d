//! The phases of a run, as types, which let the compiler check what a hook can log.
//!
//! A hook's `ctx` is a [`Context<At>`](Context), and `At` one of three phases: [`Step`], [`Epoch`] or [`Outside`]. In the
//! hooks of an annotated block, `ctx: &mut Context` is enough: the macro inserts the phase of the hook.
//!
//! Elsewhere, [`Context`] is that of [any phase](Anywhere): a function that hooks call takes `ctx: &mut Context`, and can be passed the
//! `ctx` of each of them. What it logs is checked when it is called. With `&mut Context<impl Logs>` the compiler checks that it is called
//! where values can be logged.
//!
//! ```
//! # use tch_lightning::prelude::*;
//! # struct Model { vs: nn::VarStore }
//! fn log_norm(ctx: &mut Context, name: &str, values: &Tensor) {
//!     ctx.log(name, values.norm());
//! }
//!
//! #[lightning_module]
//! impl Model {
//!     fn validation_step(&mut self, ctx: &mut Context, batch: &Tensor) {
//!         log_norm(ctx, "batch_norm", batch);
//!     }
//!
//!     fn on_validation_epoch_end(&mut self, ctx: &mut Context) {
//!         log_norm(ctx, "weight_norm", &self.vs.variables()["weight"]);
//!     }
//!     // …
//! #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
//! }
//! ```
//!
//! Lightning checks this at run time, with the table of its
//! [`_FxValidator`](https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/pytorch/trainer/connectors/logger_connector/fx_validator.py).

use super::RunContext;
use ref_cast::RefCast;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The state of a run in a phase: `ctx: &mut Context` in each hook of an annotated block.
///
/// It dereferences to a [`RunContext`], and can [log](Context::log) what its phase allows. A function that hooks call takes it under the same
/// name: see [`phase`](self).
#[derive(RefCast)]
#[repr(transparent)]
pub struct Context<At = Anywhere> {
    #[trivial]
    at: PhantomData<At>,
    pub(super) run: RunContext,
}

/// Around a batch: values can be logged for the step and for the epoch.
#[derive(Debug)]
pub enum Step {}

/// At the beginning or the end of an epoch: values can be logged for the epoch.
#[derive(Debug)]
pub enum Epoch {}

/// Outside of epochs, and in prediction: nothing can be logged.
#[derive(Debug)]
pub enum Outside {}

/// Any of them, in a function that hooks call: whether a value can be logged is checked when it is.
#[derive(Debug)]
pub enum Anywhere {}

/// The phase of a hook.
pub trait Phase: sealed::Sealed {}

/// A phase in which values can be logged, in the bound of a function for several: `&mut Context<impl Logs>`.
#[diagnostic::on_unimplemented(
    message = "this function takes the `ctx` of a hook that belongs to a step or an epoch [TL0701]",
    label = "call it in a step, around a batch, or at the beginning or end of an epoch",
    note = "a function with `ctx: &mut Context` can be called from every hook"
)]
pub trait Logs: Phase + MayLog {}

/// A context that can log, as far as the compiler knows.
#[diagnostic::on_unimplemented(
    message = "nothing can be logged in this hook: it belongs to no step and no epoch [TL0701]",
    label = "log in a step, around a batch, or at the beginning or end of an epoch"
)]
pub trait MayLog: sealed::Sealed {}

/// A context that can log for the step, as far as the compiler knows.
#[diagnostic::on_unimplemented(
    message = "a value that is logged in the hook of an epoch cannot be logged by step [TL0702]",
    label = "remove this, or log in a step"
)]
pub trait LogsSteps: MayLog {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! implemented {
    ($($name:ident for $($at:ident)*;)*) => {$($(
        // the errors about a bound do not list the phases
        #[diagnostic::do_not_recommend]
        impl $name for $at {}
    )*)*};
}

use sealed::Sealed;

implemented! {
    Sealed for Step Epoch Outside Anywhere;
    Phase for Step Epoch Outside;
    Logs for Step Epoch;
    MayLog for Step Epoch Anywhere;
    LogsSteps for Step Anywhere;
}

impl<At: Phase> Deref for Context<At> {
    type Target = Context;

    fn deref(&self) -> &Context {
        Context::ref_cast(&self.run)
    }
}

impl<At: Phase> DerefMut for Context<At> {
    fn deref_mut(&mut self) -> &mut Context {
        self.run.at()
    }
}

impl Deref for Context {
    type Target = RunContext;

    fn deref(&self) -> &RunContext {
        &self.run
    }
}

impl DerefMut for Context {
    fn deref_mut(&mut self) -> &mut RunContext {
        &mut self.run
    }
}

impl RunContext {
    /// Returns the context of a phase. The caller must pass the phase of the hook.
    pub(crate) fn at<At>(&mut self) -> &mut Context<At> {
        Context::ref_cast_mut(self)
    }
}
