//! `ctx.estimated_stepping_batches()`: the number of optimizer steps that a `fit` is going to take.

use super::RunContext;
use crate::config::ConfigurationError;
use std::cell::Cell;

/// The planned number of batches per optimizer step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedAccumulation {
    /// The same in each epoch.
    Constant(usize),
    /// Another in some epochs.
    Varying,
}

/// The inputs of the estimate other than the configuration.
#[derive(Default)]
pub(super) struct SteppingBatches {
    /// The accumulation planned by a callback, which replaces the trainer's `accumulate_grad_batches`.
    accumulation: Option<PlannedAccumulation>,
    /// Whether the training loader has been created, so that the number of its batches is known.
    is_loaded: bool,
    /// Whether the estimate was requested before the loader was created.
    was_asked_for: Cell<bool>,
}

impl RunContext {
    /// Returns the number of optimizer steps that the `fit` takes in all, for schedulers that need it, such as
    /// [`OneCycleLr`](crate::schedule::OneCycleLr). Lightning's
    /// [`estimated_stepping_batches`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#estimated-stepping-batches).
    ///
    /// It is the number of steps in an epoch times `max_epochs`, and at most `max_steps`. The steps of an epoch are its batches,
    /// after `limit_train_batches`, `overfit_batches` and `fast_dev_run`, divided by `accumulate_grad_batches` and rounded up. In
    /// a resumed run, it is the number of the complete run. With manual optimization, it is the number of steps for one step in each
    /// batch.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # use tch_lightning::schedule::{Interval, LrSchedulerConfig};
    /// # struct Model { vs: nn::VarStore }
    /// #[lightning_module]
    /// impl Model {
    ///     fn configure_optimizers(&self, ctx: &mut Context) -> Result<ScheduledOptimizer> {
    ///         let one_cycle = OneCycleLr::new(0.01).total_steps(ctx.estimated_stepping_batches()?);
    ///         Ok(AdamW::new(1e-3).lr_scheduler(LrSchedulerConfig::from(one_cycle).interval(Interval::Step)))
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    /// ```
    ///
    /// The number of batches requires the training loader, which is created after `configure_optimizers`. If that hook calls this
    /// method, the loader is created, and the hook is called again; its first value is dropped. Otherwise it is called once, before
    /// the loader is created.
    ///
    /// # Errors
    /// [`ConfigurationError`] if the number is unknown: without `max_epochs` and `max_steps`; for a loader of unknown length
    /// without `max_steps`; if [`GradientAccumulationScheduler`](crate::callbacks::GradientAccumulationScheduler) changes the
    /// number of batches per step; and before the training loader is created, which is in hooks before `configure_optimizers`, and
    /// in those between it and `on_train_start` unless it has called this method.
    pub fn estimated_stepping_batches(&self) -> Result<u64, ConfigurationError> {
        let cannot = |why: &str| ConfigurationError::from(format!("the number of optimizer steps is unknown: {why}"));
        let config = self.config();
        let accumulation = match self.stepping_batches.accumulation {
            None => config.accumulate_grad_batches,
            Some(PlannedAccumulation::Constant(batches)) => batches,
            Some(PlannedAccumulation::Varying) => {
                return Err(cannot(
                    "GradientAccumulationScheduler changes the number of batches of a step; set the steps of the learning-rate scheduler explicitly",
                ));
            }
        };
        let max_steps = config.step_limit().map(|max_steps| max_steps as u64);
        let Some(epochs) = config.epoch_limit() else {
            return max_steps
                .ok_or_else(|| cannot("neither `max_epochs` nor `max_steps` ends the run; set one of them"));
        };
        if !self.stepping_batches.is_loaded {
            self.stepping_batches.was_asked_for.set(true);
            return Err(cannot(
                "the training loader is not made yet; ask for it in `configure_optimizers`, or in `on_train_start` and later",
            ));
        }
        let Some(batches) = self.num_training_batches() else {
            return max_steps.ok_or_else(|| {
                cannot("the training loader does not have a known length; set `max_steps`, or `limit_train_batches` to a number")
            });
        };
        // Lightning counts an epoch for `max_epochs` of 0
        let steps_of_epoch = batches.div_ceil(accumulation.max(1)) as u64;
        let estimated = steps_of_epoch.saturating_mul(epochs.max(1) as u64);
        Ok(max_steps.map_or(estimated, |max_steps| max_steps.min(estimated)))
    }

    /// Records the batches of a step that a callback plans to set.
    pub(crate) fn plan_accumulation(&mut self, planned: PlannedAccumulation) {
        self.stepping_batches.accumulation = Some(planned);
    }

    /// Records that the number of training batches is known.
    pub(super) fn know_training_batches(&mut self) {
        self.stepping_batches.is_loaded = true;
    }

    /// Returns whether the estimate was requested before the training loader was created, and resets it.
    pub(crate) fn take_asked_for_stepping_batches(&mut self) -> bool {
        self.stepping_batches.was_asked_for.take()
    }
}
