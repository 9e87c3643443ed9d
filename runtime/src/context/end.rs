//! Why a `fit` ends.

use super::RunContext;
use std::fmt;

/// Why a `fit` ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// `max_epochs`, this many, was reached.
    MaxEpochs(usize),
    /// `max_steps`, this many, was reached.
    MaxSteps(usize),
    /// A hook called [`ctx.stop()`](RunContext::stop) or [`ctx.stop_because()`](RunContext::stop_because), here with the reason
    /// it gave.
    Stopped(Option<String>),
    /// `limit_train_batches` is 0.
    NoTrainingBatches,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxEpochs(epochs) => write!(f, "`max_epochs` of {epochs} was reached"),
            Self::MaxSteps(steps) => write!(f, "`max_steps` of {steps} was reached"),
            Self::Stopped(Some(reason)) => f.write_str(reason),
            Self::Stopped(None) => f.write_str("a hook called `ctx.stop()`"),
            Self::NoTrainingBatches => f.write_str("`limit_train_batches` is 0"),
        }
    }
}

impl RunContext {
    /// Ends training after the running batch, unless `min_epochs` or `min_steps` asks for more. Lightning's
    /// `trainer.should_stop = True`.
    pub fn stop(&mut self) {
        self.should_stop = true;
    }

    /// Ends training as [`stop`](Self::stop) does. The reason is printed when training ends, and [`end_reason`](Self::end_reason)
    /// returns it; of several, the first one counts.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// struct Budget {
    ///     steps: usize,
    /// }
    ///
    /// #[lightning_callback]
    /// impl Budget {
    ///     fn on_train_batch_end(&self, ctx: &mut Context) {
    ///         if ctx.global_step() >= self.steps {
    ///             ctx.stop_because(format!("Budget: {} steps were paid for", self.steps));
    ///         }
    ///     }
    /// }
    /// ```
    pub fn stop_because(&mut self, reason: impl Into<String>) {
        self.stop();
        self.stop_reason.get_or_insert_with(|| reason.into());
    }

    /// The reason why the last `fit` ended; `None` while it runs, after an error, and for the other verbs.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{EndReason, LightningModule};
    /// fn was_stopped<M: LightningModule>(trainer: &Trainer<M>) -> bool {
    ///     matches!(trainer.context().end_reason(), Some(EndReason::Stopped(_)))
    /// }
    /// ```
    pub fn end_reason(&self) -> Option<&EndReason> {
        self.end_reason.as_ref()
    }

    /// Records why training has ended.
    pub(crate) fn end_because(&mut self, reason: EndReason) {
        self.end_reason = Some(reason);
    }

    /// The reason that the hook which asked to stop has given.
    pub(crate) fn stopped(&self) -> EndReason {
        EndReason::Stopped(self.stop_reason.clone())
    }
}
