use super::adam;
use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{AdamOptions, Group, NativeError};
use tch::Tensor;

algorithm! {
    /// Adam with decoupled weight decay:
    /// [`torch.optim.AdamW`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.AdamW.html).
    ///
    /// Each step multiplies the weights by `1 - lr * weight_decay`; the running averages are not affected.
    ///
    /// [Loshchilov and Hutter, *Decoupled Weight Decay Regularization*](https://arxiv.org/abs/1711.05101).
    ///
    /// ```
    /// use tch_lightning::optim::AdamW;
    ///
    /// let adamw = AdamW::new(3e-4).betas((0.9, 0.95));
    /// assert_eq!(adamw.weight_decay, 0.01);
    /// ```
    pub struct AdamW("AdamW", momentum = betas.0) {
        /// Learning rate, 0 or more. Default 0.001.
        lr: f64 where finite_non_negative = 1e-3,
        /// Coefficients of the running averages of the gradient and of its square, each at least 0 and below 1.
        /// Default (0.9, 0.999).
        betas: (f64, f64) where betas = (0.9, 0.999),
        /// Added to the denominator for numerical stability, 0 or more. Default 1e-8.
        eps: f64 where finite_non_negative = 1e-8,
        /// Decoupled weight decay, 0 or more. Default 0.01.
        weight_decay: f64 where finite_non_negative = 1e-2,
        /// Divide by the largest average square so far, as in
        /// [*On the Convergence of Adam and Beyond*](https://openreview.net/forum?id=ryQu7f-RZ). Default false.
        amsgrad: bool = false,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for AdamW {
    fn slots(&self) -> &'static [Slot] {
        &adam::SLOTS
    }

    fn keeps(&self, slot: &Slot) -> bool {
        adam::keeps(self.amsgrad, slot)
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, betas: (beta1, beta2), eps, weight_decay, amsgrad, maximize } = *self;
        let decoupled_weight_decay = true;
        let options = AdamOptions { lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, amsgrad, maximize };
        group.step(&options, found_inf)
    }
}
