//! Steps on the gradients of a scaled loss.

use std::mem;

use tch::{Kind, TchError, Tensor, no_grad};

use super::{Algorithm, Optimizer, OptimizerError};
use crate::native::read_scalar;

/// What an optimizer knows of the scale of its gradients.
#[derive(Debug, Default)]
pub(super) struct Scaling {
    /// Whether the backward passes begin from scaled losses, so that no step may be taken on gradients as they are.
    is_expected: bool,
    /// Of unscaled gradients: whether the next step is to be skipped, one f32 number on its device, 0 or 1.
    found_inf: Option<Tensor>,
}

/// A number as 1 where it is not 0, which the fused kernels take for 0 unless it is 1. What is not one f32 number stays as it
/// is, to be refused.
pub(super) fn as_flag(found_inf: &Tensor) -> Result<Tensor, TchError> {
    if found_inf.numel() != 1 || found_inf.kind() != Kind::Float {
        return Ok(found_inf.shallow_clone());
    }
    match read_scalar(found_inf) {
        Some(number) => Ok(Tensor::from(if number == 0.0 { 0f32 } else { 1f32 })),
        None => no_grad(|| found_inf.f_ne(0)?.f_to_kind(Kind::Float)),
    }
}

impl Optimizer {
    /// From now on gradients are unscaled before each step.
    ///
    /// # Errors
    /// For L-BFGS, whose steps can't be skipped.
    pub(crate) fn expect_scaled_gradients(&mut self) -> Result<(), OptimizerError> {
        self.refuse_scaling_of_lbfgs()?;
        self.scaling.is_expected = true;
        Ok(())
    }

    /// Whether gradients are to be unscaled before the next step, and were not.
    pub(crate) fn has_scaled_gradients(&self) -> bool {
        self.scaling.is_expected && self.scaling.found_inf.is_none()
    }

    /// Makes the next [`step`](Self::step) one that is skipped if `found_inf` is 1, and not 0. Whoever takes the step, the trainer or
    /// a hook, need not know of it.
    ///
    /// # Errors
    /// For L-BFGS, whose steps can't be skipped.
    pub(crate) fn skip_next_step_if(&mut self, found_inf: Tensor) -> Result<(), OptimizerError> {
        self.refuse_scaling_of_lbfgs()?;
        self.scaling.found_inf = Some(found_inf);
        Ok(())
    }

    /// Makes the next step one that is skipped if `found` is 1, and not 0, or if what was found in its gradients says so.
    ///
    /// # Errors
    /// As [`skip_next_step_if`](Self::skip_next_step_if).
    pub(crate) fn also_skip_next_step_if(&mut self, found: &Tensor) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        let both = match &self.scaling.found_inf {
            Some(found_inf) => found_inf.f_maximum(found),
            None => Ok(found.shallow_clone()),
        };
        self.skip_next_step_if(both.map_err(|error| OptimizerError::libtorch(optimizer, "skip a step", error))?)
    }

    /// Whether a step can be skipped: all but those of L-BFGS.
    pub(crate) fn can_skip_steps(&self) -> bool {
        self.lbfgs.is_none()
    }

    /// Whether steps are skipped on a CUDA device without waiting for it.
    pub(crate) fn skips_without_waiting(&self) -> bool {
        matches!(self.algorithm(), Algorithm::Adagrad(_) | Algorithm::Adam(_) | Algorithm::AdamW(_) | Algorithm::Sgd(_))
    }

    /// Forgets what was found in gradients that are dropped.
    pub(super) fn forget_found_inf(&mut self) {
        self.scaling.found_inf = None;
    }

    /// What was found in the gradients that are stepped on.
    pub(super) fn take_found_inf(&mut self) -> Result<Option<Tensor>, OptimizerError> {
        if self.has_scaled_gradients() {
            return Err(OptimizerError::ScaledGradients { optimizer: self.name() });
        }
        Ok(mem::take(&mut self.scaling.found_inf))
    }

    fn refuse_scaling_of_lbfgs(&self) -> Result<(), OptimizerError> {
        if self.can_skip_steps() { Ok(()) } else { Err(OptimizerError::NeedsLoss { optimizer: self.name() }) }
    }
}
