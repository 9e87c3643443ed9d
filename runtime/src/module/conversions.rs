//! Holds what a user wrote against what a hook is declared to take and return, so that the compiler's message is ours.

use super::{Flow, IntoOptimizer, LightningModule, Optimizers, TrainingContext};
use crate::context::phase::Phase;
use crate::context::{Context, RunContext};
use crate::data::{DataLoader, DataLoaders};
use crate::schedule::{LrSchedulerConfig, each_schedule};
use serde_json::Value;

/// `Self` is the type of a method's parameter, `Declared` that of the hook's.
#[diagnostic::on_unimplemented(
    message = "this parameter of the hook is `{Declared}`, not `{Self}` [TL0104]",
    label = "write `{Declared}` here"
)]
pub trait HookParameter<Declared> {
    /// Passes the parameter on.
    fn take(declared: Declared) -> Self;
}

impl<T> HookParameter<T> for T {
    fn take(declared: T) -> Self {
        declared
    }
}

#[diagnostic::do_not_recommend]
impl<'a, T: ?Sized> HookParameter<&'a mut T> for &'a T {
    fn take(declared: &'a mut T) -> Self {
        declared
    }
}

#[diagnostic::do_not_recommend]
impl<'a, At: Phase> HookParameter<&'a mut Context<At>> for &'a mut RunContext {
    fn take(declared: &'a mut Context<At>) -> Self {
        declared
    }
}

#[diagnostic::do_not_recommend]
impl<'a, At: Phase> HookParameter<&'a mut Context<At>> for &'a RunContext {
    fn take(declared: &'a mut Context<At>) -> Self {
        declared
    }
}

/// `Self` is the type of a method's `outputs`, `Declared` that of a reference to what the step returns.
#[diagnostic::on_unimplemented(
    message = "`outputs` of a hook is what the step returns, `{Declared}`, not `{Self}` [TL0104]",
    label = "write `{Declared}` here, or return another type in the step of the module",
    note = "`()` is that of a step that returns nothing, or that the module does not have: return the value there, or remove `outputs` here"
)]
pub trait HookOutputs<Declared> {
    /// Passes the parameter on.
    fn take(declared: Declared) -> Self;
}

impl<T> HookOutputs<T> for T {
    fn take(declared: T) -> Self {
        declared
    }
}

/// `Self` is the written type of a method's `ctx`, under any name, and `At` the phase of the hook.
#[diagnostic::on_unimplemented(
    message = "`ctx` of a hook is `&mut Context`, not `&mut {Self}` [TL0104]",
    label = "write `Context` here"
)]
pub trait ContextAt<At> {
    /// The hook's argument: a [`Context`] of its phase.
    type Context;
}

impl<Written, At> ContextAt<At> for Context<Written> {
    type Context = Context<At>;
}

impl<At> ContextAt<At> for RunContext {
    type Context = Self;
}

/// `Self` is the written type of the `ctx` of `training_step`, in a module `M` with manual optimization.
#[diagnostic::on_unimplemented(
    message = "`ctx` of a hook is `&mut Context`, not `&mut {Self}` [TL0104]",
    label = "write `Context` here"
)]
pub trait ContextOfManualStep<'a, M> {
    /// The type that the hook gets.
    type Context;
}

impl<'a, Written, M: LightningModule + 'a> ContextOfManualStep<'a, M> for Context<Written> {
    type Context = TrainingContext<'a, M>;
}

impl<'a, M: LightningModule + 'a> ContextOfManualStep<'a, M> for TrainingContext<'_, M> {
    type Context = TrainingContext<'a, M>;
}

impl<'a, M> ContextOfManualStep<'a, M> for RunContext {
    type Context = Self;
}

#[diagnostic::do_not_recommend]
impl<'a, 'b, M: LightningModule> HookParameter<&'a mut TrainingContext<'b, M>> for &'a mut RunContext {
    fn take(declared: &'a mut TrainingContext<'b, M>) -> Self {
        declared
    }
}

#[diagnostic::do_not_recommend]
impl<'a, 'b, M: LightningModule> HookParameter<&'a mut TrainingContext<'b, M>> for &'a RunContext {
    fn take(declared: &'a mut TrainingContext<'b, M>) -> Self {
        declared
    }
}

/// `Self` is what a method returns (without its `Result`), `Declared` what the hook returns.
#[diagnostic::on_unimplemented(
    message = "this hook returns `{Declared}`, not `{Self}` [TL0201]",
    label = "write `{Declared}` here, or a `Result` of it"
)]
pub trait HookReturn<Declared> {
    /// Turns what the method returned into what the hook returns.
    fn into_value(self) -> Declared;
}

impl<T> HookReturn<T> for T {
    fn into_value(self) -> T {
        self
    }
}

#[diagnostic::do_not_recommend]
impl HookReturn<Flow> for () {
    fn into_value(self) -> Flow {
        Flow::Continue
    }
}

#[diagnostic::do_not_recommend]
impl<B> HookReturn<DataLoaders<B>> for DataLoader<B> {
    fn into_value(self) -> DataLoaders<B> {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<B> HookReturn<DataLoaders<B>> for Vec<DataLoader<B>> {
    fn into_value(self) -> DataLoaders<B> {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<G: IntoOptimizer> HookReturn<Optimizers> for G {
    fn into_value(self) -> Optimizers {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<G: IntoOptimizer> HookReturn<Optimizers> for Vec<G> {
    fn into_value(self) -> Optimizers {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<A: IntoOptimizer, B: IntoOptimizer> HookReturn<Optimizers> for (A, B) {
    fn into_value(self) -> Optimizers {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<A: IntoOptimizer, B: IntoOptimizer, C: IntoOptimizer> HookReturn<Optimizers> for (A, B, C) {
    fn into_value(self) -> Optimizers {
        self.into()
    }
}

/// Declares a trait of the types that a hook may return for one declared type, with the sentence of its error.
macro_rules! returned {
    ($name:ident, $declared:ty, $message:literal, $label:literal, $note:literal) => {
        #[doc = concat!("What a method may return for `", stringify!($declared), "`.")]
        #[diagnostic::on_unimplemented(message = $message, label = $label, note = $note)]
        pub trait $name {
            /// Turns what the method returned into what the hook returns.
            fn into_value(self) -> $declared;
        }

        #[diagnostic::do_not_recommend]
        impl<T: HookReturn<$declared>> $name for T {
            fn into_value(self) -> $declared {
                HookReturn::into_value(self)
            }
        }
    };
}

returned!(
    ReturnedOptimizers,
    Optimizers,
    "`configure_optimizers` returns an optimizer, several, or an optimizer with its scheduler, not `{Self}` [TL0201]",
    "write `AdamW`, `(AdamW, StepLr)`, `(Adam, Sgd)`, `Vec<Sgd>` or `ScheduledOptimizer` here",
    "a `ScheduledOptimizer` is made by `AdamW::new(1e-3).lr_scheduler(StepLr::new(10))`; several may be in a tuple or a `Vec`"
);
returned!(
    ReturnedFlow,
    Flow,
    "this hook returns a `Flow`, not `{Self}` [TL0201]",
    "write `Flow` here: `Flow::SkipEpoch` skips the rest of the epoch, as Lightning's `-1` does",
    "`Flow::Continue` trains on the batch, as a hook that returns nothing does"
);
returned!(
    ReturnedState,
    Value,
    "a state is a `tch_lightning::serde_json::Value`, not `{Self}` [TL0201]",
    "write `tch_lightning::serde_json::Value` here",
    "`tch_lightning::serde_json::to_value(&state)?` makes one of any serializable value, such as a map"
);

/// An optimizer with its scheduler, as Lightning's `([optimizer], [scheduler])`.
macro_rules! with_scheduler {
    ($($scheduler:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<G: IntoOptimizer> HookReturn<Optimizers> for (G, $scheduler) {
            fn into_value(self) -> Optimizers {
                self.0.lr_scheduler(self.1).into()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<G: IntoOptimizer> HookReturn<Optimizers> for Vec<(G, $scheduler)> {
            fn into_value(self) -> Optimizers {
                self.into_iter().map(|(optimizer, scheduler)| optimizer.lr_scheduler(scheduler)).collect()
            }
        }
    )*};
}

each_schedule!(with_scheduler);
with_scheduler!(LrSchedulerConfig);

/// The `batch` of a hook, where another hook of the block has decided the batch's type.
#[diagnostic::on_unimplemented(
    message = "the hooks of a block take batches of one type, and `{Self}` is not `{Declared}` [TL0501]",
    label = "write `{Declared}` here, or change the type in the other hook"
)]
pub trait SameBatch<Declared> {
    /// Passes the batch on.
    fn take_batch(declared: Declared) -> Self;
}

#[diagnostic::do_not_recommend]
impl<Declared, Written: HookParameter<Declared>> SameBatch<Declared> for Written {
    fn take_batch(declared: Declared) -> Self {
        Self::take(declared)
    }
}

/// The return type of a loader's hook, if another hook of the block determines the batch type.
#[diagnostic::on_unimplemented(
    message = "the hooks of a block take batches of one type, and this one returns `{Self}`, not `{Declared}` [TL0501]",
    label = "write `{Declared}` here, or a `Result` of it, or change the type in the other hook"
)]
pub trait LoadsSameBatch<Declared> {
    /// Turns what the method returned into what the hook returns.
    fn into_declared(self) -> Declared;
}

#[diagnostic::do_not_recommend]
impl<Declared, Written: HookReturn<Declared>> LoadsSameBatch<Declared> for Written {
    fn into_declared(self) -> Declared {
        self.into_value()
    }
}

/// An error type of a user's method.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as an error type: it does not implement `std::error::Error` [TL0205]",
    label = "leave it out, as `?` turns any error into that of the prelude's `Result<…>`, or write a type that implements `std::error::Error`"
)]
pub trait HookFailure<Kind> {
    /// The error as the trainer passes it on.
    fn into_error(self) -> anyhow::Error;
}

/// The kind of an error that has a type.
#[derive(Debug)]
pub enum TypedError {}

#[diagnostic::do_not_recommend]
impl<E: Into<anyhow::Error>> HookFailure<TypedError> for E {
    fn into_error(self) -> anyhow::Error {
        self.into()
    }
}

/// The kind of an error of any type in a box, which is not itself an error.
#[derive(Debug)]
pub enum BoxedError {}

#[diagnostic::do_not_recommend]
impl HookFailure<BoxedError> for Box<dyn std::error::Error + Send + Sync> {
    fn into_error(self) -> anyhow::Error {
        anyhow::anyhow!(self)
    }
}

/// The return type of a constructor: the type itself, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "`new` returns `{Self}`, not `{Type}` [TL0602]",
    label = "write `Self` here, or a `Result` of it"
)]
pub trait Made<Type, Kind> {
    /// The value, or why there is none.
    ///
    /// # Errors
    /// The constructor's own.
    fn into_made(self) -> anyhow::Result<Type>;
}

impl<T> Made<T, ()> for T {
    fn into_made(self) -> anyhow::Result<T> {
        Ok(self)
    }
}

impl<T, Kind, E: HookFailure<Kind>> Made<T, Kind> for Result<T, E> {
    fn into_made(self) -> anyhow::Result<T> {
        self.map_err(HookFailure::into_error)
    }
}
