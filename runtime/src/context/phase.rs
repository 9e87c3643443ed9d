//! The phases of a run, as types, which let the compiler check what a hook can log.
//!
//! A hook's `ctx` is a [`Context<At>`](Context), and `At` one of three phases: [`Step`], [`Epoch`] or [`Outside`]. In the
//! hooks of an annotated block, `ctx: &mut Context` is enough: the macro inserts the phase of the hook. Elsewhere,
//! [`Context`] means `Context<Step>`; a function for several phases takes `&mut Context<impl Logs>`, or
//! `&mut RunContext` if it does not log.
//!
//! Lightning checks this at run time, with the table of its
//! [`_FxValidator`](https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/pytorch/trainer/connectors/logger_connector/fx_validator.py).

use super::RunContext;
use ref_cast::RefCast;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The state of a run in a phase: `ctx: &mut Context` in each hook of an annotated block.
///
/// It dereferences to a [`RunContext`], and can [log](Context::log) what its phase allows.
#[derive(RefCast)]
#[repr(transparent)]
pub struct Context<At = Step> {
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

/// A phase in which values can be logged.
#[diagnostic::on_unimplemented(
    message = "nothing can be logged in this hook: it belongs to no step and no epoch [TL0701]",
    label = "log in a step, around a batch, or at the beginning or end of an epoch"
)]
pub trait Logs: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Step {}
impl sealed::Sealed for Epoch {}

impl Logs for Step {}
impl Logs for Epoch {}

/// A phase in which values can be logged for the step.
#[diagnostic::on_unimplemented(
    message = "a value that is logged in the hook of an epoch cannot be logged by step [TL0702]",
    label = "remove this, or log in a step"
)]
pub trait LogsSteps: Logs {}

impl LogsSteps for Step {}

impl<At> Deref for Context<At> {
    type Target = RunContext;

    fn deref(&self) -> &RunContext {
        &self.run
    }
}

impl<At> DerefMut for Context<At> {
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
