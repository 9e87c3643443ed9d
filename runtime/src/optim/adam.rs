use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{AdamOptions, Group, NativeError};
use tch::Tensor;

algorithm! {
    /// Adam: [`torch.optim.Adam`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adam.html).
    ///
    /// Its weight decay is an L2 penalty, which is added to the gradient; [`AdamW`](super::AdamW) decays the weights
    /// directly.
    ///
    /// [Kingma and Ba, *Adam: A Method for Stochastic Optimization*](https://arxiv.org/abs/1412.6980).
    ///
    /// ```
    /// use tch_lightning::optim::Adam;
    ///
    /// let adam = Adam::new(3e-4).betas((0.9, 0.95));
    /// assert_eq!(adam.weight_decay, 0.0);
    /// ```
    pub struct Adam("Adam", momentum = betas.0) {
        /// Learning rate, 0 or more. Default 0.001.
        lr: f64 where finite_non_negative = 1e-3,
        /// Coefficients of the running averages of the gradient and of its square, each at least 0 and below 1.
        /// Default (0.9, 0.999).
        betas: (f64, f64) where betas = (0.9, 0.999),
        /// Added to the denominator for numerical stability, 0 or more. Default 1e-8.
        eps: f64 where finite_non_negative = 1e-8,
        /// Weight decay as an L2 penalty, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Divide by the largest average square so far, as in
        /// [*On the Convergence of Adam and Beyond*](https://openreview.net/forum?id=ryQu7f-RZ). Default false.
        amsgrad: bool = false,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for Adam {
    fn slots(&self) -> &'static [Slot] {
        &SLOTS
    }

    fn keeps(&self, slot: &Slot) -> bool {
        keeps(self.amsgrad, slot)
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, betas: (beta1, beta2), eps, weight_decay, amsgrad, maximize } = *self;
        let decoupled_weight_decay = false;
        let options = AdamOptions { lr, beta1, beta2, eps, weight_decay, decoupled_weight_decay, amsgrad, maximize };
        group.step(&options, found_inf)
    }
}

const OF_AMSGRAD: &str = "max_exp_avg_sq";

/// The slots of the state of Adam and AdamW.
pub(super) const SLOTS: [Slot; 4] =
    [Slot::STEP, Slot::elementwise("exp_avg"), Slot::elementwise("exp_avg_sq"), Slot::elementwise(OF_AMSGRAD)];

pub(super) fn keeps(amsgrad: bool, slot: &Slot) -> bool {
    amsgrad || slot.name != OF_AMSGRAD
}
