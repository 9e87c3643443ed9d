//! `ctx.estimated_stepping_batches()`: the number of optimizer steps that a `fit` is going to take.

use super::RunContext;
use crate::config::ConfigurationError;
use std::cell::Cell;

/// The batches of a step, as far as they are known before the training begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedAccumulation {
    /// The same in each epoch.
    Constant(usize),
    /// Another in some epochs.
    Varying,
}

/// What the estimate depends on besides the configuration.
#[derive(Default)]
pub(super) struct SteppingBatches {
    /// What a callback has planned, in place of the trainer's `accumulate_grad_batches`.
    accumulation: Option<PlannedAccumulation>,
    /// Whether the training loader was made, so that the number of its batches is known.
    is_loaded: bool,
    /// Whether the estimate was asked for before.
    was_asked_for: Cell<bool>,
}

impl RunContext {
    /// Returns the number of optimizer steps that the `fit` takes in all, for schedulers that need it, such as
    /// [`OneCycleLr`](crate::schedule::OneCycleLr). Lightning's
    /// [`estimated_stepping_batches`](https://lightning.ai/docs/pytorch/stable/common/trainer.html#estimated-stepping-batches).
    ///
    /// It is the number of steps in an epoch times `max_epochs`, and at most `max_steps`. The steps of an epoch are its batches,
    /// after `limit_train_batches`, `overfit_batches` and `fast_dev_run`, divided by `accumulate_grad_batches` and rounded up. A
    /// resumed run returns the number of the whole run. With manual optimization, it is the number of steps for one step in each
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
    /// The number of batches needs the training loader, which is made after `configure_optimizers`. Where that hook asks for the
    /// estimate, the loader is made then, and the hook is called a second time; what it returned the first time is dropped. A hook
    /// that does not ask is called once, before the loader is made.
    ///
    /// # Errors
    /// [`ConfigurationError`] where the number cannot be known: without `max_epochs` and `max_steps`; for a loader of unknown length
    /// without `max_steps`; where [`GradientAccumulationScheduler`](crate::callbacks::GradientAccumulationScheduler) changes the batches of a
    /// step; and before the training loader is made, in hooks before `configure_optimizers`, and in those between it and
    /// `on_train_start` unless it has asked.
    pub fn estimated_stepping_batches(&self) -> Result<u64, ConfigurationError> {
        let cannot = |why: &str| ConfigurationError::from(format!("the number of optimizer steps is not known: {why}"));
        let config = self.config();
        let accumulation = match self.stepping_batches.accumulation {
            None => config.accumulate_grad_batches,
            Some(PlannedAccumulation::Constant(batches)) => batches,
            Some(PlannedAccumulation::Varying) => {
                return Err(cannot(
                    "GradientAccumulationScheduler changes the number of batches of a step; give the scheduler's steps by hand",
                ));
            }
        };
        let max_steps = config.steps().map(|max_steps| max_steps as u64);
        let Some(epochs) = config.epochs() else {
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
                cannot("the training loader does not know its length; set `max_steps`, or `limit_train_batches` to a number")
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

    /// Whether the estimate was asked for before the training loader was made, since the last call.
    pub(crate) fn take_asked_for_stepping_batches(&mut self) -> bool {
        self.stepping_batches.was_asked_for.take()
    }
}
