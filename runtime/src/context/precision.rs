//! What the run's precision asks of a step.

use super::RunContext;
use crate::error::Error;
use crate::optim::OptimizerIndex;
use crate::precision::GradScaler;
use tch::{TchError, Tensor};

impl RunContext {
    /// What scales the loss in a `fit` with the precision `16-mixed`; `None` in all others.
    pub fn grad_scaler(&self) -> Option<&GradScaler> {
        self.grad_scaler.as_ref()
    }

    /// Runs a step under the precision's autocast.
    pub(crate) fn under_autocast<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let _autocast = self.config.precision.autocast(self.device)?;
        step(self)
    }

    /// Runs what a step calls, such as its backward pass, outside of the step's autocast.
    pub(crate) fn outside_of_autocast<T>(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _suspended = self.config.precision.suspend_autocast(self.device)?;
        call(self)
    }

    /// What the backward pass of a loss begins from.
    pub(crate) fn scaled(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        self.grad_scaler.as_ref().map_or_else(|| Ok(loss.shallow_clone()), |scaler| scaler.scale(loss))
    }

    /// Unscales an optimizer's gradients, if they are scaled.
    pub(crate) fn unscale_gradients(&mut self, OptimizerIndex(place): OptimizerIndex) -> Result<(), Error> {
        let optimizer = &mut self.optimizers[place];
        match &mut self.grad_scaler {
            Some(scaler) if optimizer.has_scaled_gradients() => scaler.unscale(optimizer),
            _ => Ok(()),
        }
    }

    /// Finds the scale of the next losses, after an optimizer's step.
    pub(crate) fn update_scale(&mut self) -> Result<(), TchError> {
        self.grad_scaler.as_mut().map_or(Ok(()), GradScaler::update)
    }
}
