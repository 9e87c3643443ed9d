//! The end of a run: requests by hooks, signals, and the reason.

use super::RunContext;
use super::interruption::Interruption;
use crate::run_location::RunLocation;
use crate::signal::{Signal, Signals};
use crate::strategy::StrategyError;
use std::fmt;

/// The control over the end of a run.
#[derive(Default)]
pub(super) struct Control {
    /// Whether a hook has requested a stop.
    should_stop: bool,
    /// The reason given by the first hook that requested a stop.
    stop_reason: Option<String>,
    /// Why training has ended.
    end_reason: Option<EndReason>,
    signals: Signals,
    /// The signal that one of several processes has caught, and that ends the run of all.
    agreed_signal: Option<Signal>,
    /// Whether several processes have agreed to stop.
    has_agreed_to_stop: bool,
}

impl Control {
    /// The state in an evaluation after a `fit`, which can still be saved.
    pub(super) fn after(before: Self) -> Self {
        Self { should_stop: before.should_stop, stop_reason: before.stop_reason, ..Self::default() }
    }
}

/// The reason why a `fit` ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// `max_epochs`, this many, was reached.
    MaxEpochs(usize),
    /// `max_steps`, this many, was reached.
    MaxSteps(usize),
    /// A hook called [`ctx.stop()`](RunContext::stop) or [`ctx.stop_because()`](RunContext::stop_because), with this
    /// reason.
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
    /// Ends training after the running batch, unless `min_epochs` or `min_steps` requires more. Lightning's
    /// `trainer.should_stop = True`. Of several processes, any can end the training of all: they agree on it with the gradients of the
    /// next step, and at the end of a validation and of an epoch.
    pub fn stop(&mut self) {
        self.control.should_stop = true;
    }

    /// Ends training as [`stop`](Self::stop) does. The reason is printed when training ends, and [`end_reason`](Self::end_reason)
    /// returns it. The first of several reasons is kept.
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
        self.control.stop_reason.get_or_insert_with(|| reason.into());
    }

    /// The reason why the last `fit` ended; `None` while it runs, after an error, and for the other verbs.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::{trainer::EndReason, LightningModule};
    /// fn was_stopped<M: LightningModule>(trainer: &Trainer<M>) -> bool {
    ///     matches!(trainer.context().end_reason(), Some(EndReason::Stopped(_)))
    /// }
    /// ```
    pub fn end_reason(&self) -> Option<&EndReason> {
        self.control.end_reason.as_ref()
    }

    /// Records why training has ended.
    pub(crate) fn end_because(&mut self, reason: EndReason) {
        self.control.end_reason = Some(reason);
    }

    /// The end reason of a run that a hook stopped.
    pub(crate) fn stopped(&self) -> EndReason {
        EndReason::Stopped(self.control.stop_reason.clone())
    }

    /// Whether a hook has requested a stop.
    pub fn should_stop(&self) -> bool {
        self.control.should_stop
    }

    pub(super) fn stop_reason(&self) -> Option<&str> {
        self.control.stop_reason.as_deref()
    }

    /// Restores a request to stop from a checkpoint, unless this run already has one.
    pub(super) fn restore_stop(&mut self, should_stop: bool, reason: Option<String>) {
        if should_stop && !self.control.should_stop {
            (self.control.should_stop, self.control.stop_reason) = (true, reason);
            self.control.has_agreed_to_stop = true;
        }
    }

    /// Whether `min_epochs` and `min_steps` allow a hook to end training.
    pub(crate) fn can_stop_early(&self) -> bool {
        let steps = self.config.min_steps.unwrap_or(0);
        self.current_epoch() >= self.config.at_least_epochs() && self.global_step() >= steps
    }

    /// The signals that end the run.
    pub(crate) fn signals(&self) -> &Signals {
        &self.control.signals
    }

    pub(crate) fn set_signals(&mut self, signals: Signals) {
        self.strategy.share_signals(signals.watched());
        self.control.signals = signals;
    }

    /// Fails if a signal has been caught; `batch_idx` is the last processed batch.
    #[inline]
    pub(crate) fn check_signals(&self, batch_idx: Option<usize>) -> Result<(), Interruption> {
        match self.control.signals.caught() {
            None => Ok(()),
            Some(signal) => Err(self.interrupted_by(signal, batch_idx)),
        }
    }

    /// Fails if a signal ends the training: one that was caught, or that the processes have agreed on.
    #[inline]
    pub(crate) fn check_signals_in_training(&self, batch_idx: Option<usize>) -> Result<(), Interruption> {
        if self.world_size() == 1 {
            return self.check_signals(batch_idx);
        }
        self.control.agreed_signal.map_or(Ok(()), |signal| Err(self.interrupted_by(signal, batch_idx)))
    }

    /// Whether training is to stop: a hook has requested it, and several processes have agreed to it.
    pub(crate) fn is_to_stop(&self) -> bool {
        self.should_stop() && (self.control.has_agreed_to_stop || self.world_size() == 1)
    }

    pub(super) fn has_agreed_to_stop(&self) -> bool {
        self.control.has_agreed_to_stop
    }

    pub(super) fn agree_to_stop(&mut self, reason: Option<String>) {
        self.control.has_agreed_to_stop = true;
        self.control.should_stop = true;
        self.control.stop_reason = reason.or(self.control.stop_reason.take());
    }

    pub(super) fn agree_on_signal(&mut self, signal: Option<Signal>) {
        self.control.agreed_signal = signal;
    }

    /// Whether all processes end by a signal, at the same step.
    pub(crate) fn has_agreed_on_signal(&self) -> bool {
        self.control.agreed_signal.is_some()
    }

    /// Fails if another process of the run has failed.
    #[inline]
    pub(crate) fn check_others(&self) -> Result<(), StrategyError> {
        self.strategy.failure().map_or(Ok(()), Err)
    }

    #[cold]
    pub(crate) fn interrupted_by(&self, signal: Signal, batch_idx: Option<usize>) -> Interruption {
        let location = RunLocation { batch_idx, ..self.location() };
        Interruption { signal, running_stage: self.running_stage(), location, waiting_for: None }
    }

    /// The current location in the run.
    pub(crate) fn location(&self) -> RunLocation {
        RunLocation { stage: self.stage(), epoch: self.running_epoch(), batch_idx: self.batch_idx() }
    }
}
