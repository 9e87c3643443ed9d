use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{Group, NativeError, RmsPropOptions};
use tch::Tensor;

algorithm! {
    /// RMSprop: [`torch.optim.RMSprop`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.RMSprop.html). The gradient
    /// is divided by its running root mean square.
    ///
    /// `eps` is added to the root, not under it.
    ///
    /// [Hinton, *Neural Networks for Machine Learning*, lecture
    /// 6](https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf); centered as in [Graves, *Generating Sequences
    /// With Recurrent Neural Networks*](https://arxiv.org/abs/1308.0850).
    pub struct RmsProp("RMSprop", momentum = momentum) {
        /// Learning rate, 0 or more. Default 0.01.
        lr: f64 where finite_non_negative = 1e-2,
        /// Coefficient of the running averages, from 0 to 1. Default 0.99.
        alpha: f64 where fraction = 0.99,
        /// Added to the denominator for numerical stability, 0 or more. Default 1e-8.
        eps: f64 where finite_non_negative = 1e-8,
        /// Weight decay as an L2 penalty, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Momentum factor, 0 or more. Default 0: no momentum.
        momentum: f64 where finite_non_negative = 0.0,
        /// Divide by the root of the gradient's variance in place of its root mean square. Default false.
        centered: bool = false,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for RmsProp {
    fn slots(&self) -> &'static [Slot] {
        const {
            &[
                Slot::STEP,
                Slot::elementwise("square_avg"),
                Slot::elementwise("momentum_buffer"),
                Slot::elementwise("grad_avg"),
            ]
        }
    }

    fn keeps(&self, slot: &Slot) -> bool {
        match slot.name {
            "momentum_buffer" => self.momentum > 0.0,
            "grad_avg" => self.centered,
            _ => true,
        }
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, alpha, eps, weight_decay, momentum, centered, maximize } = *self;
        group.step(&RmsPropOptions { lr, alpha, eps, weight_decay, momentum, centered, maximize }, found_inf)
    }
}
