use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{AdagradOptions, Group, NativeError};
use tch::Tensor;

algorithm! {
    /// Adagrad: [`torch.optim.Adagrad`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adagrad.html). The
    /// gradient is divided by the root of the sum of its squares.
    ///
    /// [Duchi, Hazan and Singer, *Adaptive Subgradient Methods for Online Learning and Stochastic
    /// Optimization*](https://jmlr.org/papers/v12/duchi11a.html).
    pub struct Adagrad("Adagrad") {
        /// Learning rate, 0 or more. Default 0.01.
        lr: f64 where finite_non_negative = 1e-2,
        /// Decay of the learning rate, which is divided by `1 + (step - 1) * lr_decay`, 0 or more. Default 0.
        lr_decay: f64 where finite_non_negative = 0.0,
        /// Weight decay as an L2 penalty, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Initial value of the sums of squares, 0 or more. Default 0.
        initial_accumulator_value: f64 where finite_non_negative = 0.0,
        /// Added to the denominator for numerical stability, 0 or more. Default 1e-10.
        eps: f64 where finite_non_negative = 1e-10,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for Adagrad {
    fn slots(&self) -> &'static [Slot] {
        const { &[Slot::STEP, Slot::elementwise("sum")] }
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize } = *self;
        let options = AdagradOptions { lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize };
        group.step(&options, found_inf)
    }
}
