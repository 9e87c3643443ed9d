//! The optimizers of a `fit`, their learning-rate schedulers, and the conditions for their steps.

use super::RunContext;
use super::foreign_tensors::ForeignTensors;
use super::lr_schedulers::RunningLrScheduler;
use super::non_finite::Losses;
use super::toggle::Toggled;
use crate::config::{ConfigurationError, GradientClipAlgorithm};
use crate::counted::counted;
use crate::optim::{Optimizer, OptimizerConfig, OptimizerIndex};
use crate::precision::GradScaler;
use crate::progress::Terms;
use crate::schedule::LrSchedulerConfig;

/// An optimizer with its scheduler that replaces those of `configure_optimizers`.
#[derive(Clone)]
pub(crate) struct ChosenOptimizer {
    pub(crate) optimizer: OptimizerConfig,
    pub(crate) lr_scheduler: Option<LrSchedulerConfig>,
}

/// The optimization of a run.
#[derive(Default)]
pub(super) struct Optimization {
    /// The optimizer of all runs of the trainer.
    chosen: Option<ChosenOptimizer>,
    pub(super) optimizers: Vec<Optimizer>,
    pub(super) lr_schedulers: Vec<RunningLrScheduler>,
    pub(super) grad_scaler: Option<GradScaler>,
    pub(super) losses: Losses,
    /// The terms of weighted losses in the running accumulation window.
    pub(super) terms: Option<Terms>,
    pub(super) toggled: Toggled,
    foreign_tensors: ForeignTensors,
    /// Whether a hook has overridden the trainer's `accumulate_grad_batches`.
    sets_accumulation: bool,
    /// Whether training steps only update the module's buffers, without a backward pass or an optimizer step.
    skips_backward: bool,
    /// The names of the parameters that were frozen before `configure_optimizers` and `on_fit_start`.
    frozen_at_start: Vec<String>,
}

impl Optimization {
    /// The optimization state in an evaluation after a `fit`: the parts that a checkpoint saves.
    pub(super) fn after(before: Self) -> Self {
        Self {
            chosen: before.chosen,
            optimizers: before.optimizers,
            lr_schedulers: before.lr_schedulers,
            grad_scaler: before.grad_scaler,
            losses: before.losses.of_next_run(),
            sets_accumulation: before.sets_accumulation,
            frozen_at_start: before.frozen_at_start,
            ..Self::default()
        }
    }

    /// The optimization of a new `fit`.
    pub(super) fn of_fit(before: Self) -> Self {
        Self { chosen: before.chosen, losses: before.losses.of_next_run(), ..Self::default() }
    }
}

impl RunContext {
    /// Returns the optimizer that replaces those of `configure_optimizers`, if there is one.
    pub(crate) fn chosen_optimizer(&self) -> Option<&ChosenOptimizer> {
        self.optimization.chosen.as_ref()
    }

    pub(crate) fn set_chosen_optimizer(&mut self, chosen: Option<ChosenOptimizer>) {
        self.optimization.chosen = chosen;
    }

    pub(crate) fn foreign_tensors_mut(&mut self) -> &mut ForeignTensors {
        &mut self.optimization.foreign_tensors
    }

    /// The optimizers, in the order in which `configure_optimizers` returned them.
    pub fn optimizers(&self) -> &[Optimizer] {
        &self.optimization.optimizers
    }

    /// The optimizers, mutable so that their learning rates can be changed.
    pub fn optimizers_mut(&mut self) -> &mut [Optimizer] {
        &mut self.optimization.optimizers
    }

    /// Returns one optimizer, to step it or to set its learning rate: by the hook parameter `optimizer`, or by its index as in
    /// `ctx.optimizer(0)`.
    ///
    /// # Panics
    /// If the index is out of range.
    pub fn optimizer(&mut self, optimizer: impl Into<OptimizerIndex>) -> &mut Optimizer {
        let OptimizerIndex(index) = optimizer.into();
        let optimizers = &mut self.optimization.optimizers;
        let count = optimizers.len();
        match optimizers.get_mut(index) {
            Some(optimizer) => optimizer,
            None => panic!(
                "there is no optimizer {index}: `configure_optimizers` has returned {}, and they are counted from 0",
                counted(count, "optimizer")
            ),
        }
    }

    /// Clips the gradients of an optimizer's parameters, without waiting for the device. A value of 0 disables clipping, as in
    /// Lightning. Gradients of a scaled loss are unscaled first.
    ///
    /// # Errors
    /// The error of libtorch.
    pub fn clip_gradients(
        &mut self,
        optimizer: impl Into<OptimizerIndex>,
        gradient_clip_val: f64,
        gradient_clip_algorithm: GradientClipAlgorithm,
    ) -> anyhow::Result<()> {
        if gradient_clip_val <= 0.0 {
            return Ok(());
        }
        let optimizer = optimizer.into();
        self.unscale_gradients(optimizer)?;
        let optimizer = self.optimizer(optimizer);
        match gradient_clip_algorithm {
            GradientClipAlgorithm::Norm => {
                let _norm = optimizer.clip_grad_norm(gradient_clip_val)?;
            }
            GradientClipAlgorithm::Value => optimizer.clip_grad_value(gradient_clip_val)?,
        }
        Ok(())
    }

    /// Sets the number of batches per optimizer step, from the next batch on. Call it at the beginning of an epoch.
    /// Lightning's `trainer.accumulate_grad_batches = …`.
    ///
    /// # Errors
    /// [`ConfigurationError`] if it is 0.
    pub fn set_accumulate_grad_batches(&mut self, batches: usize) -> Result<(), ConfigurationError> {
        if batches == 0 {
            return Err(ConfigurationError::from("`accumulate_grad_batches` must be at least 1, but it is 0"));
        }
        self.config.accumulate_grad_batches = batches;
        self.optimization.sets_accumulation = true;
        Ok(())
    }

    /// The value that a hook has set with [`set_accumulate_grad_batches`](Self::set_accumulate_grad_batches).
    pub(super) fn accumulate_grad_batches_of_hook(&self) -> Option<usize> {
        self.optimization.sets_accumulation.then_some(self.config.accumulate_grad_batches)
    }

    /// Whether the optimizer steps after the running batch: at the end of an accumulation window, and of the epoch.
    pub(crate) fn steps_after_this_batch(&self) -> bool {
        let progress = self.progress();
        let is_due =
            progress.is_last_batch() || progress.batches_ready().is_multiple_of(self.config.accumulate_grad_batches);
        is_due && !self.skips_backward()
    }

    /// Removes all optimizers and schedulers, and sets the gradient scaler.
    pub(crate) fn begin_optimization(&mut self, grad_scaler: Option<GradScaler>) {
        self.optimization.optimizers.clear();
        self.optimization.lr_schedulers.clear();
        self.optimization.grad_scaler = grad_scaler;
    }

    /// Adds an optimizer. Returns its index.
    pub(crate) fn add_optimizer(&mut self, optimizer: Optimizer) -> OptimizerIndex {
        self.optimization.optimizers.push(optimizer);
        OptimizerIndex(self.optimization.optimizers.len() - 1)
    }

    /// Whether training steps only update the module's buffers, without a backward pass or an optimizer step.
    pub(crate) fn skips_backward(&self) -> bool {
        self.optimization.skips_backward
    }

    pub(crate) fn skip_backward(&mut self, skips: bool) {
        self.optimization.skips_backward = skips;
    }

    /// The names of the parameters that were frozen before `configure_optimizers` and `on_fit_start`.
    pub(crate) fn frozen_at_start(&self) -> &[String] {
        &self.optimization.frozen_at_start
    }

    pub(crate) fn set_frozen_at_start(&mut self, names: Vec<String>) {
        self.optimization.frozen_at_start = names;
    }
}
