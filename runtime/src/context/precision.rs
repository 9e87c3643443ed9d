//! Autocast and loss scaling of a step.

use super::RunContext;
use crate::native::NativeError;
use crate::optim::{OptimizerError, OptimizerIndex};
use crate::precision::{GradScaler, GradScalerState};
use tch::{TchError, Tensor};

impl RunContext {
    /// The scaler of the loss in a `fit` with the precision `16-mixed`; `None` in all other runs.
    pub fn grad_scaler(&self) -> Option<&GradScaler> {
        self.optimization.grad_scaler.as_ref()
    }

    /// Runs a step under the precision's autocast.
    pub(crate) fn under_autocast<T, E: From<NativeError>>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let _autocast = self.config.precision.autocast(self.device)?;
        step(self)
    }

    /// Runs a part of a step, such as its backward pass, outside of the step's autocast.
    pub(crate) fn outside_of_autocast<T, E: From<NativeError>>(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let _suspended = self.config.precision.suspend_autocast(self.device)?;
        call(self)
    }

    /// Returns the scaled loss, from which the backward pass starts.
    pub(crate) fn scaled(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        self.optimization.grad_scaler.as_ref().map_or_else(|| Ok(loss.shallow_clone()), |scaler| scaler.scale(loss))
    }

    /// Unscales an optimizer's gradients, if they are scaled.
    pub(crate) fn unscale_gradients(&mut self, OptimizerIndex(index): OptimizerIndex) -> Result<(), OptimizerError> {
        let optimizer = &mut self.optimization.optimizers[index];
        match &mut self.optimization.grad_scaler {
            Some(scaler) if optimizer.has_scaled_gradients() => scaler.unscale(optimizer),
            _ => Ok(()),
        }
    }

    /// Updates the scale after an optimizer's step.
    pub(crate) fn update_scale(&mut self) -> Result<(), TchError> {
        self.optimization.grad_scaler.as_mut().map_or(Ok(()), GradScaler::update)
    }

    /// Restores the state of the gradient scaler, if the run has one.
    pub(crate) fn restore_grad_scaler(&mut self, state: GradScalerState) -> Result<(), TchError> {
        if let Some(scaler) = &mut self.optimization.grad_scaler {
            *scaler = GradScaler::new(state, self.device)?;
        }
        Ok(())
    }
}
