//! Steps with the gradients of a scaled loss.

use std::mem;

use tch::{Kind, TchError, Tensor, no_grad};

use super::{Algorithm, Optimizer, OptimizerError};
use crate::native::read_scalar;

/// The state of gradient scaling in an optimizer.
#[derive(Debug, Default)]
pub(super) struct Scaling {
    /// Whether the losses are scaled, so that gradients must be unscaled before a step.
    is_expected: bool,
    /// Whether to skip the next step, after the gradients were unscaled: an f32 number on the device, 0 or 1.
    found_inf: Option<Tensor>,
}

/// Returns 1 for any number other than 0, since the fused kernels treat everything except 1 as 0. A tensor that is not a single
/// f32 number is returned unchanged, and rejected later.
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
    /// Requires that gradients are unscaled before each step from now on.
    ///
    /// # Errors
    /// For L-BFGS, whose steps cannot be skipped.
    pub(crate) fn expect_scaled_gradients(&mut self) -> Result<(), OptimizerError> {
        self.refuse_scaling_of_lbfgs()?;
        self.scaling.is_expected = true;
        Ok(())
    }

    /// Whether gradients must still be unscaled before the next step.
    pub(crate) fn has_scaled_gradients(&self) -> bool {
        self.scaling.is_expected && self.scaling.found_inf.is_none()
    }

    /// Makes the next [`step`](Self::step), of the trainer or of a hook, do nothing if `found_inf` is 1 instead of 0.
    ///
    /// # Errors
    /// For L-BFGS, whose steps cannot be skipped.
    pub(crate) fn skip_next_step_if(&mut self, found_inf: Tensor) -> Result<(), OptimizerError> {
        self.refuse_scaling_of_lbfgs()?;
        self.scaling.found_inf = Some(found_inf);
        Ok(())
    }

    /// Makes the next step do nothing if `found` is 1 instead of 0, in addition to the flag that is already set.
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

    /// Whether steps can be skipped, which is the case for all algorithms except L-BFGS.
    pub(crate) fn can_skip_steps(&self) -> bool {
        self.lbfgs.is_none()
    }

    /// Whether steps are skipped on a CUDA device without waiting for it.
    pub(crate) fn skips_without_waiting(&self) -> bool {
        self.groups.iter().all(|group| {
            use Algorithm::{Adagrad, Adam, AdamW, Sgd};
            matches!(group.algorithm(), Adagrad(_) | Adam(_) | AdamW(_) | Sgd(_))
        })
    }

    /// Resets the flag when gradients are dropped.
    pub(super) fn forget_found_inf(&mut self) {
        self.scaling.found_inf = None;
    }

    /// Takes the flag for the step.
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
