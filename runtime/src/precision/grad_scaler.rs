use crate::optim::{Optimizer, OptimizerError};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, TchError, Tensor};

/// Scales the loss, so that small gradients survive in float16, as
/// [`torch.amp.GradScaler`](https://docs.pytorch.org/docs/2.13/amp.html#gradient-scaling): the scale grows when no gradient
/// was infinite for a while, and shrinks when one was; that step is skipped.
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
/// The scale stays on the device, and nothing here waits for it but [`state`](Self::state).
#[derive(Debug)]
pub struct GradScaler {
    /// `[]` f32.
    scale: Tensor,
    /// Updates since the last infinity or growth, `[]` i32.
    growth_tracker: Tensor,
    growth_factor: f64,
    backoff_factor: f64,
    growth_interval: i64,
    /// Of each optimizer whose gradients were unscaled since the last update, `[]` f32.
    found_inf: Vec<Tensor>,
}

/// What a [`GradScaler`] begins from, and what a checkpoint keeps of it: PyTorch's defaults and names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GradScalerState {
    /// What the loss is multiplied by. Default 65536.
    pub scale: f64,
    /// What the scale is multiplied by after `growth_interval` updates without an infinity, above 1. Default 2.
    pub growth_factor: f64,
    /// What the scale is multiplied by after an infinity, below 1. Default 0.5.
    pub backoff_factor: f64,
    /// How many updates without an infinity make the scale grow. Default 2000.
    pub growth_interval: i64,
    /// How many there were since the last infinity or growth. Default 0.
    pub growth_tracker: i64,
}

impl Default for GradScalerState {
    fn default() -> Self {
        Self { scale: 65536.0, growth_factor: 2.0, backoff_factor: 0.5, growth_interval: 2000, growth_tracker: 0 }
    }
}

impl GradScaler {
    /// A scaler whose scale is on `device`.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn new(state: GradScalerState, device: Device) -> Result<Self, TchError> {
        let GradScalerState { scale, growth_factor, backoff_factor, growth_interval, growth_tracker } = state;
        let scale = Tensor::f_full([0i64; 0], scale, (Kind::Float, device))?;
        let growth_tracker = Tensor::f_full([0i64; 0], growth_tracker, (Kind::Int, device))?;
        Ok(Self { scale, growth_tracker, growth_factor, backoff_factor, growth_interval, found_inf: Vec::new() })
    }

    /// The loss, multiplied by the scale: what the backward pass begins from. At least f32.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn scale(&self, loss: &Tensor) -> Result<Tensor, TchError> {
        loss.f_mul(&self.scale)
    }

    /// The scale, `[]` f32 on the device.
    pub fn get_scale(&self) -> Tensor {
        self.scale.copy()
    }

    /// Divides the optimizer's gradients by the scale, and makes its next step one that is skipped if one of them is infinite
    /// or not a number. Norms and clipping belong between the two.
    ///
    /// # Errors
    /// As [`Optimizer::unscale_gradients`]; for L-BFGS, whose steps cannot be skipped.
    pub fn unscale(&mut self, optimizer: &mut Optimizer) -> Result<(), OptimizerError> {
        let (found_inf, inv_scale) =
            self.unscaling().map_err(|error| optimizer.refused("unscale the gradients", error))?;
        optimizer.unscale_gradients(&inv_scale, &found_inf)?;
        optimizer.skip_next_step_if(found_inf.shallow_clone())?;
        self.found_inf.push(found_inf);
        Ok(())
    }

    /// What tells whether a gradient is infinite, `[]` f32 and 0 so far, and the reciprocal of the scale, in double precision
    /// between.
    fn unscaling(&self) -> Result<(Tensor, Tensor), TchError> {
        let inv_scale = self.scale.f_to_kind(Kind::Double)?.f_reciprocal()?.f_to_kind(Kind::Float)?;
        Ok((self.scale.f_zeros_like()?, inv_scale))
    }

    /// Finds the next scale, after the step of every optimizer whose gradients were unscaled. Without any it stays.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn update(&mut self) -> Result<(), TchError> {
        let mut found_inf = std::mem::take(&mut self.found_inf).into_iter();
        let Some(first) = found_inf.next() else { return Ok(()) };
        let found_inf = found_inf.try_fold(first, |sum, found_inf| sum.f_add(&found_inf))?;
        let Self { growth_tracker, growth_factor, backoff_factor, growth_interval, .. } = self;
        let (growth, backoff, interval) = (*growth_factor, *backoff_factor, *growth_interval);
        let _scale = self.scale.f_internal_amp_update_scale_(growth_tracker, &found_inf, growth, backoff, interval)?;
        Ok(())
    }

    /// What is to be kept; waits for the device.
    ///
    /// # Errors
    /// What libtorch says.
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
