use crate::optim::{Optimizer, OptimizerError};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, TchError, Tensor};

/// Scales the loss, so that small gradients do not underflow in float16. PyTorch's
/// [`torch.amp.GradScaler`](https://docs.pytorch.org/docs/2.13/amp.html#gradient-scaling): the scale shrinks after an
/// infinite or NaN gradient, whose step is skipped, and grows after `growth_interval` updates without one.
///
/// The trainer uses one for `16-mixed`. In a loop of your own:
///
/// ```
/// use tch::{Device, Kind, Tensor};
/// use tch_lightning::optim::{Optimizer, Sgd};
/// use tch_lightning::precision::{GradScaler, GradScalerState};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weight = Tensor::ones([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
/// let mut optimizer = Optimizer::new(Sgd::new(0.5), vec![("weight".to_owned(), weight.shallow_clone())])?;
/// let mut scaler = GradScaler::new(GradScalerState::default(), Device::Cpu)?;
///
/// let loss = weight.sum(Kind::Float);
/// scaler.scale(&loss)?.f_backward()?;
/// scaler.unscale(&mut optimizer)?;
/// optimizer.clip_grad_value(1.0)?;
/// optimizer.step()?;
/// scaler.update()?;
/// assert_eq!(weight, Tensor::from_slice(&[0.5f32; 3]));
/// # Ok(())
/// # }
/// ```
///
/// The scale is on the device, and only [`state`](Self::state) synchronizes with it.
#[derive(Debug)]
pub struct GradScaler {
    /// The scale, `[]` f32.
    scale: Tensor,
    /// The number of updates since the last infinity or growth, `[]` i32.
    growth_tracker: Tensor,
    growth_factor: f64,
    backoff_factor: f64,
    growth_interval: i64,
    /// Above 0 if a gradient is infinite or NaN, for each optimizer unscaled since the last update, `[]` f32.
    found_inf: Vec<Tensor>,
}

/// The initial state of a [`GradScaler`], and its state in checkpoints, with PyTorch's defaults and names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GradScalerState {
    /// The factor of the loss. Default 65536.
    pub scale: f64,
    /// The factor of the scale after `growth_interval` updates without an infinity, above 1. Default 2.
    pub growth_factor: f64,
    /// The factor of the scale after an infinity, below 1. Default 0.5.
    pub backoff_factor: f64,
    /// The number of updates without an infinity after which the scale grows. Default 2000.
    pub growth_interval: i64,
    /// The number of updates since the last infinity or growth. Default 0.
    pub growth_tracker: i64,
}

impl Default for GradScalerState {
    fn default() -> Self {
        Self { scale: 65536.0, growth_factor: 2.0, backoff_factor: 0.5, growth_interval: 2000, growth_tracker: 0 }
    }
}

impl GradScaler {
    /// Creates a scaler whose scale is on `device`.
    ///
    /// # Errors
    /// The error of libtorch.
    pub fn new(state: GradScalerState, device: Device) -> Result<Self, TchError> {
        let GradScalerState { scale, growth_factor, backoff_factor, growth_interval, growth_tracker } = state;
        let scale = Tensor::f_full([0i64; 0], scale, (Kind::Float, device))?;
        let growth_tracker = Tensor::f_full([0i64; 0], growth_tracker, (Kind::Int, device))?;
        Ok(Self { scale, growth_tracker, growth_factor, backoff_factor, growth_interval, found_inf: Vec::new() })
    }

    /// Returns the loss multiplied by the scale, for the backward pass. Its dtype is at least f32.
    ///
    /// # Errors
    /// The error of libtorch.
    pub fn scale(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        loss.f_mul(&self.scale)
    }

    /// Returns the scale, `[]` f32 on the device.
    pub fn get_scale(&self) -> Tensor {
        self.scale.copy()
    }

    /// Divides the optimizer's gradients by the scale, and skips the optimizer's next step if one of them is infinite or NaN.
    /// Compute norms and clip gradients after this and before the step.
    ///
    /// # Errors
    /// As [`Optimizer::unscale_gradients`], and for L-BFGS, whose steps cannot be skipped.
    pub fn unscale(&mut self, optimizer: &mut Optimizer) -> Result<(), OptimizerError> {
        let (found_inf, inv_scale) =
            self.unscaling().map_err(|error| optimizer.refused("unscale the gradients", error))?;
        optimizer.unscale_gradients(&inv_scale, &found_inf)?;
        optimizer.skip_next_step_if(found_inf.shallow_clone())?;
        self.found_inf.push(found_inf);
        Ok(())
    }

    /// Returns the indicator of infinite gradients, `[]` f32 and initially 0, and the reciprocal of the scale, which is computed
    /// in double precision.
    fn unscaling(&self) -> Result<(Tensor, Tensor), TchError> {
        let inv_scale = self.scale.f_to_kind(Kind::Double)?.f_reciprocal()?.f_to_kind(Kind::Float)?;
        Ok((self.scale.f_zeros_like()?, inv_scale))
    }

    /// Computes the next scale. Call it after the steps of all optimizers whose gradients were unscaled; without any, the scale
    /// does not change.
    ///
    /// # Errors
    /// The error of libtorch.
    pub fn update(&mut self) -> Result<(), TchError> {
        let mut found_inf = std::mem::take(&mut self.found_inf).into_iter();
        let Some(first) = found_inf.next() else { return Ok(()) };
        let found_inf = found_inf.try_fold(first, |sum, found_inf| sum.f_add(&found_inf))?;
        let Self { growth_tracker, growth_factor, backoff_factor, growth_interval, .. } = self;
        let (growth, backoff, interval) = (*growth_factor, *backoff_factor, *growth_interval);
        let _scale = self.scale.f_internal_amp_update_scale_(growth_tracker, &found_inf, growth, backoff, interval)?;
        Ok(())
    }

    /// Returns the state for a checkpoint. Synchronizes with the device.
    ///
    /// # Errors
    /// The error of libtorch.
    pub fn state(&self) -> Result<GradScalerState, TchError> {
        Ok(GradScalerState {
            scale: self.scale.f_double_value(&[])?,
            growth_factor: self.growth_factor,
            backoff_factor: self.backoff_factor,
            growth_interval: self.growth_interval,
            growth_tracker: self.growth_tracker.f_int64_value(&[])?,
        })
    }
}
