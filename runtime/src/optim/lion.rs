use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{Group, LionOptions, NativeError};
use tch::Tensor;

algorithm! {
    /// Lion, which steps by the sign of the momentum: each element changes by the learning rate. PyTorch does not contain it.
    ///
    /// As the steps are larger than those of AdamW, the learning rate is usually 3 to 10 times smaller, and the weight decay larger by
    /// the same factor.
    ///
    /// [Chen et al., *Symbolic Discovery of Optimization Algorithms*](https://arxiv.org/abs/2302.06675).
    pub struct Lion("Lion", momentum = betas.0) {
        /// Learning rate, 0 or more. Default 0.0001.
        lr: f64 where finite_non_negative = 1e-4,
        /// Coefficients of the running average of the gradient, in the step and in the average that is kept, each at least 0 and
        /// below 1. Default (0.9, 0.99).
        betas: (f64, f64) where betas = (0.9, 0.99),
        /// Decoupled weight decay, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for Lion {
    fn slots(&self) -> &'static [Slot] {
        const { &[Slot::elementwise("exp_avg")] }
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, betas: (beta1, beta2), weight_decay, maximize } = *self;
        group.step(&LionOptions { lr, beta1, beta2, weight_decay, maximize }, found_inf)
    }
}
