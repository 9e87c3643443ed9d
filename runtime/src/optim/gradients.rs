//! Operations on the gradients of all groups together: norms, clipping and unscaling.

use tch::{Kind, TchError, Tensor, no_grad};

use super::range::non_negative;
use super::scaling::as_flag;
use super::{Optimizer, OptimizerError, ParameterGroup};
use crate::native::Gradients;

impl Optimizer {
    /// Drops all gradients: PyTorch's `zero_grad(set_to_none=True)`. Until the next backward pass they are undefined, not
    /// zero.
    ///
    /// # Errors
    /// [`OptimizerError::Libtorch`] if an operation of libtorch fails.
    pub fn zero_grad(&mut self) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        let refused = |error| OptimizerError::libtorch(optimizer, "drop the gradients", error);
        self.forget_found_inf();
        self.groups.iter_mut().try_for_each(|group| group.zero_grad().map_err(refused))
    }

    /// Returns whether a parameter has a gradient, which is known without waiting for the device.
    pub fn has_gradients(&self) -> bool {
        self.borrowed_parameters().any(|(_, parameter)| parameter.grad().defined())
    }

    /// Returns the L2 norm of all gradients as one vector: a 0-dim tensor with the gradients' dtype, on the device of the
    /// first, without waiting for the device. Without gradients it is 0, on the CPU.
    ///
    /// # Errors
    /// [`OptimizerError::Libtorch`] if an operation of libtorch fails.
    pub fn grad_norm(&self) -> Result<Tensor, OptimizerError> {
        self.gradients().norm().map_err(|error| self.refused("take the norm of the gradients", error))
    }

    /// Returns the norm of each parameter's gradient and the norm of all gradients, under Lightning's names:
    /// `grad_2.0_norm/{parameter}`, and last `grad_2.0_norm_total`. Each is a 0-dim tensor with the dtype and on the device of
    /// its gradient, without waiting for the device. Parameters without a gradient are skipped. Lightning's
    /// [`grad_norm`](https://github.com/Lightning-AI/pytorch-lightning/blob/master/src/lightning/pytorch/utilities/grads.py).
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// struct GradientNorms;
    ///
    /// #[lightning_callback]
    /// impl GradientNorms {
    ///     fn on_before_optimizer_step(&self, ctx: &mut Context) -> Result<()> {
    ///         for (name, norm) in ctx.optimizer(0).grad_norms(2.0)? {
    ///             ctx.log(&name, norm);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`OptimizerError::Hyperparameter`] if `norm_type` is negative or NaN, [`OptimizerError::Libtorch`] if an operation of
    /// libtorch fails.
    pub fn grad_norms(&self, norm_type: f64) -> Result<Vec<(String, Tensor)>, OptimizerError> {
        non_negative(self.name(), "norm_type", norm_type)?;
        let parameters = self.groups.iter().flat_map(ParameterGroup::parameters);
        let gradients = parameters.map(|(name, parameter)| (name, parameter.grad()));
        let norms = no_grad(|| named_norms(gradients.filter(|(_, gradient)| gradient.defined()), norm_type));
        norms.map_err(|error| OptimizerError::libtorch(self.name(), "take the norms of the gradients", error))
    }

    /// Scales all gradients so that their norm is at most `max_norm`, and returns the [`grad_norm`](Self::grad_norm) that
    /// they had before, without waiting for the device:
    /// [`torch.nn.utils.clip_grad_norm_`](https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_norm_.html).
    ///
    /// # Errors
    /// [`OptimizerError::Hyperparameter`] if `max_norm` is negative or NaN, [`OptimizerError::Libtorch`] if an operation of
    /// libtorch fails.
    pub fn clip_grad_norm(&mut self, max_norm: f64) -> Result<Tensor, OptimizerError> {
        non_negative(self.name(), "max_norm", max_norm)?;
        self.gradients().clip_norm(max_norm).map_err(|error| self.refused("clip the gradients", error))
    }

    /// Clamps every element of every gradient to `-clip_value ..= clip_value`, without waiting for the device:
    /// [`torch.nn.utils.clip_grad_value_`](https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_value_.html).
    ///
    /// # Errors
    /// [`OptimizerError::Hyperparameter`] if `clip_value` is negative or NaN, [`OptimizerError::Libtorch`] if an operation of
    /// libtorch fails.
    pub fn clip_grad_value(&mut self, clip_value: f64) -> Result<(), OptimizerError> {
        non_negative(self.name(), "clip_value", clip_value)?;
        self.gradients().clip_value(clip_value).map_err(|error| self.refused("clip the gradients", error))
    }

    /// Multiplies all gradients by `inv_scale`, and sets `found_inf` to 1 if an element of them is infinite or NaN; otherwise
    /// `found_inf` is left unchanged. Both are a single f32 number on any device. It does not wait for the device.
    ///
    /// This is the first half of a step on a scaled loss:
    /// [`torch.amp.GradScaler.unscale_`](https://docs.pytorch.org/docs/2.13/amp.html#torch.amp.GradScaler.unscale_). The
    /// second half is [`step_unless`](Self::step_unless); compute norms and clip in between.
    ///
    /// ```
    /// use tch::{Device, Kind, Tensor};
    /// use tch_lightning::optim::{Optimizer, Sgd};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let weight = Tensor::ones([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    /// let mut optimizer = Optimizer::new(Sgd::new(0.5), vec![("weight".to_owned(), weight.shallow_clone())])?;
    /// let scale = 1024.0;
    ///
    /// (weight.sum(Kind::Float) * scale).f_backward()?;
    /// let found_inf = Tensor::from(0f32);
    /// optimizer.unscale_gradients(&Tensor::from(1.0 / scale as f32), &found_inf)?;
    /// optimizer.step_unless(&found_inf)?;
    /// assert_eq!(weight, Tensor::from_slice(&[0.5f32; 3]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OptimizerError::HalfGradient`] for a gradient in float16, which would underflow again;
    /// [`OptimizerError::Libtorch`] if an operation of libtorch fails.
    pub fn unscale_gradients(&mut self, inv_scale: &Tensor, found_inf: &Tensor) -> Result<(), OptimizerError> {
        let half =
            self.borrowed_parameters().find(|(_, tensor)| tensor.kind() == Kind::Half && tensor.grad().defined());
        if let Some((name, _)) = half {
            return Err(OptimizerError::HalfGradient { optimizer: self.name(), parameter: name.clone() });
        }
        let unscaled = self.gradients().unscale(inv_scale, found_inf);
        unscaled.map_err(|error| self.refused("unscale the gradients", error))
    }

    /// Steps if `found_inf` (a single f32 number, on any device) is 0. Otherwise, also if it is NaN, neither the parameters
    /// nor the state change.
    ///
    /// SGD, Adam, AdamW and Adagrad check it on the device, in their fused kernels. The other algorithms wait for the device
    /// and read `found_inf` once per group, as do all algorithms for parameters without a fused kernel (those on devices other
    /// than the CPU and CUDA, or not contiguous in memory), and SGD with dampening in its first step.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn step_unless(&mut self, found_inf: &Tensor) -> Result<(), OptimizerError> {
        let found_inf = as_flag(found_inf).map_err(|error| self.refused("step", error))?;
        self.step_groups(Some(&found_inf))
    }

    fn gradients(&self) -> Gradients<'_> {
        self.groups.iter().map(ParameterGroup::native).collect()
    }
}

fn named_norms<'a>(
    gradients: impl Iterator<Item = (&'a String, Tensor)>,
    norm_type: f64,
) -> Result<Vec<(String, Tensor)>, TchError> {
    let norm = |tensor: &Tensor| tensor.f_norm_scalaropt_dim(norm_type, [0i64; 0].as_slice(), false);
    let mut norms = Vec::new();
    for (name, gradient) in gradients {
        norms.push((format!("grad_{norm_type:?}_norm/{name}"), norm(&gradient)?));
    }
    let all: Vec<&Tensor> = norms.iter().map(|(_, norm)| norm).collect();
    if let Some(first) = all.first() {
        let here: Result<Vec<Tensor>, TchError> = all.iter().map(|norm| norm.f_to_device(first.device())).collect();
        let total = norm(&Tensor::f_stack(&here?, 0)?)?;
        norms.push((format!("grad_{norm_type:?}_norm_total"), total));
    }
    Ok(norms)
}
