//! The observation of the first training step: the module's layers, and floating-point operations.

use super::RunContext;
use crate::messages;
use crate::profiler::{ObservedStep, StepObservation};
use std::collections::HashMap;
use tch::Tensor;

/// Whether a training step is observed, once in a run.
#[derive(Default)]
pub(super) enum Observed {
    #[default]
    Never,
    /// The next step is, with these parameters and buffers.
    Requested(HashMap<String, Tensor>),
    /// A step was; `None` if libtorch refused.
    Once(Option<ObservedStep>),
}

impl RunContext {
    /// Returns the layers and the floating-point operations of the first training batch of the run, if a
    /// [`ModelSummary`](crate::callbacks::ModelSummary) or a [`ThroughputMonitor`](crate::callbacks::ThroughputMonitor) has had it
    /// observed.
    pub fn observed_step(&self) -> Option<&ObservedStep> {
        match &self.observed {
            Observed::Once(step) => step.as_ref(),
            Observed::Never | Observed::Requested(_) => None,
        }
    }

    /// Has the next training step observed, unless one was or is to be. `variables` are the module's parameters and buffers by their paths.
    pub(crate) fn observe_step(&mut self, variables: impl FnOnce() -> HashMap<String, Tensor>) {
        if matches!(self.observed, Observed::Never) {
            self.observed = Observed::Requested(variables());
        }
    }

    /// Begins to observe a step, if that was requested.
    #[inline]
    pub(crate) fn begin_step_observation(&mut self) -> Option<StepObservation> {
        match &mut self.observed {
            Observed::Requested(variables) => {
                let started = StepObservation::start(std::mem::take(variables));
                self.observed = Observed::Once(None);
                warned(started)
            }
            Observed::Never | Observed::Once(_) => None,
        }
    }

    /// Keeps what was observed of a step with a batch of `samples`.
    pub(crate) fn end_step_observation(
        &mut self,
        observation: StepObservation,
        samples: Option<usize>,
        has_failed: bool,
    ) {
        self.observed = Observed::Once(warned(observation.finish(samples, has_failed)));
    }
}

/// Returns the value; an error is a warning.
fn warned<T>(outcome: Result<T, crate::native::NativeError>) -> Option<T> {
    let warn = |error| messages::warning!("the first training step is not observed, as libtorch refuses it: {error}");
    outcome.map_err(warn).ok()
}
