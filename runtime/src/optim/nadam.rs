use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{Group, NAdamOptions, NativeError};
use tch::Tensor;

algorithm! {
    /// NAdam: [`torch.optim.NAdam`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.NAdam.html), Adam with
    /// Nesterov momentum.
    ///
    /// [Dozat, *Incorporating Nesterov Momentum into Adam*](https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).
    pub struct NAdam("NAdam", momentum = betas.0) {
        /// Learning rate, 0 or more. Default 0.002.
        lr: f64 where finite_non_negative = 2e-3,
        /// Coefficients of the running averages of the gradient and of its square, each at least 0 and below 1.
        /// Default (0.9, 0.999).
        betas: (f64, f64) where betas = (0.9, 0.999),
        /// Added to the denominator for numerical stability, 0 or more. Default 1e-8.
        eps: f64 where finite_non_negative = 1e-8,
        /// Weight decay, 0 or more: an L2 penalty unless it is decoupled. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// The rate at which the momentum rises from half of `betas.0` to `betas.0`, 0 or more. Default 0.004.
        momentum_decay: f64 where finite_non_negative = 4e-3,
        /// Decay the weights directly, as [`AdamW`](crate::optim::AdamW) does. Default false.
        decoupled_weight_decay: bool = false,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for NAdam {
    fn slots(&self) -> &'static [Slot] {
        const { &[Slot::STEP, Slot::scalar("mu_product"), Slot::elementwise("exp_avg"), Slot::elementwise("exp_avg_sq")] }
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, betas: (beta1, beta2), eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize } =
            *self;
        let options =
            NAdamOptions { lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize };
        group.step(&options, found_inf)
    }
}
