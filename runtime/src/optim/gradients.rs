//! What an optimizer does with the gradients of all its groups together: norms, clipping, unscaling.

use tch::{Kind, TchError, Tensor, no_grad};

use super::range::non_negative;
use super::scaling::as_flag;
use super::{Optimizer, OptimizerError, ParameterGroup};
use crate::native::Gradients;

impl Optimizer {
    /// Drops all gradients, as PyTorch's `zero_grad(set_to_none=True)`: until the next backward pass they are undefined,
    /// not zero.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn zero_grad(&mut self) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        let refused = |error| OptimizerError::libtorch(optimizer, "drop the gradients", error);
        self.forget_found_inf();
        self.groups.iter_mut().try_for_each(|group| group.zero_grad().map_err(refused))
    }

    /// The L2 norm of all gradients taken as one vector: 0-dim, in the gradients' dtype, on the first one's device, which
    /// is not waited for. 0 on the CPU when there is no gradient.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn grad_norm(&self) -> Result<Tensor, OptimizerError> {
        self.gradients().norm().map_err(|error| self.refused("take the norm of the gradients", error))
    }

    /// The norm of each parameter's gradient, and that of all, under the names that Lightning gives them:
    /// `grad_2.0_norm/{parameter}`, and last `grad_2.0_norm_total`. Each is 0-dim, in its gradient's dtype, on its device, which
    /// is not waited for. Parameters without a gradient are left out. Lightning's
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
    /// When `norm_type` is not positive; when libtorch refuses.
    pub fn grad_norms(&self, norm_type: f64) -> Result<Vec<(String, Tensor)>, OptimizerError> {
        non_negative(self.name(), "norm_type", norm_type)?;
        let parameters = self.groups.iter().flat_map(ParameterGroup::parameters);
        let gradients = parameters.map(|(name, parameter)| (name, parameter.grad()));
        let norms = no_grad(|| named_norms(gradients.filter(|(_, gradient)| gradient.defined()), norm_type));
        norms.map_err(|error| OptimizerError::libtorch(self.name(), "take the norms of the gradients", error))
    }

    /// Scales all gradients so that their norm is at most `max_norm`, and returns the norm that they had, as
    /// [`grad_norm`](Self::grad_norm) does. The device is not waited for.
    ///
    /// As [`torch.nn.utils.clip_grad_norm_`](https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_norm_.html).
    ///
    /// # Errors
    /// When `max_norm` is negative or not a number; when libtorch refuses.
    pub fn clip_grad_norm(&mut self, max_norm: f64) -> Result<Tensor, OptimizerError> {
        non_negative(self.name(), "max_norm", max_norm)?;
        self.gradients().clip_norm(max_norm).map_err(|error| self.refused("clip the gradients", error))
    }

    /// Clamps every element of every gradient to `-clip_value ..= clip_value`. The device is not waited for.
    ///
    /// As [`torch.nn.utils.clip_grad_value_`](https://docs.pytorch.org/docs/2.13/generated/torch.nn.utils.clip_grad_value_.html).
    ///
    /// # Errors
    /// When `clip_value` is negative or not a number; when libtorch refuses.
    pub fn clip_grad_value(&mut self, clip_value: f64) -> Result<(), OptimizerError> {
        non_negative(self.name(), "clip_value", clip_value)?;
        self.gradients().clip_value(clip_value).map_err(|error| self.refused("clip the gradients", error))
    }

    /// Multiplies all gradients by `inv_scale`, and sets `found_inf` to 1 if one of them has an element that is infinite or
    /// not a number; otherwise `found_inf` is left as it is. Both are one f32 number on any device. Nothing is waited for.
    ///
    /// The first half of a step whose loss was scaled, as
    /// [`torch.amp.GradScaler.unscale_`](https://docs.pytorch.org/docs/2.13/amp.html#torch.amp.GradScaler.unscale_); the
    /// second is [`step_unless`](Self::step_unless). Norms and clipping belong between them.
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
    /// [`OptimizerError::HalfGradient`] for a gradient in float16, where dividing would lose what scaling has saved; when
    /// libtorch refuses.
    pub fn unscale_gradients(&mut self, inv_scale: &Tensor, found_inf: &Tensor) -> Result<(), OptimizerError> {
        let half = self.parameters().find(|(_, tensor)| tensor.kind() == Kind::Half && tensor.grad().defined());
        if let Some((name, _)) = half {
            return Err(OptimizerError::HalfGradient { optimizer: self.name(), parameter: name.clone() });
        }
        let unscaled = self.gradients().unscale(inv_scale, found_inf);
        unscaled.map_err(|error| self.refused("unscale the gradients", error))
    }

    /// Steps, unless `found_inf` (one f32 number, on any device) is not 0, which NaN is not either: then no parameter changes,
    /// and no state.
    ///
    /// SGD, Adam, AdamW and Adagrad decide on the device, in their fused kernels. The other algorithms, and parameters for
    /// which there is no fused kernel (on other devices than the CPU and CUDA, or spread over their memory with gaps),
    /// wait for the device and read `found_inf`, once a group; SGD does so for its first step if its momentum is dampened.
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
