use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{AdamaxOptions, Group, NativeError};
use tch::Tensor;

algorithm! {
    /// Adamax: [`torch.optim.Adamax`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adamax.html). Adam with an
    /// exponentially weighted infinity norm of the gradient in place of its root mean square.
    ///
    /// [Kingma and Ba, *Adam: A Method for Stochastic Optimization*](https://arxiv.org/abs/1412.6980), section 7.1.
    pub struct Adamax("Adamax", momentum = betas.0) {
        /// Learning rate, 0 or more. Default 0.002.
        lr: f64 where finite_non_negative = 2e-3,
        /// Coefficients of the running average of the gradient and of its infinity norm, each at least 0 and below 1.
        /// Default (0.9, 0.999).
        betas: (f64, f64) where betas = (0.9, 0.999),
        /// Added to the absolute value of the gradient for numerical stability, 0 or more. Default 1e-8.
        eps: f64 where finite_non_negative = 1e-8,
        /// Weight decay as an L2 penalty, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for Adamax {
    fn slots(&self) -> &'static [Slot] {
        const { &[Slot::STEP, Slot::elementwise("exp_avg"), Slot::elementwise("exp_inf")] }
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, betas: (beta1, beta2), eps, weight_decay, maximize } = *self;
        group.step(&AdamaxOptions { lr, beta1, beta2, eps, weight_decay, maximize }, found_inf)
    }
}
