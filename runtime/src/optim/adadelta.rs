use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{AdadeltaOptions, Group, NativeError};
use tch::Tensor;

algorithm! {
    /// Adadelta: [`torch.optim.Adadelta`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adadelta.html). The
    /// gradient is divided by its running root mean square and multiplied by that of the previous steps.
    ///
    /// [Zeiler, *ADADELTA: An Adaptive Learning Rate Method*](https://arxiv.org/abs/1212.5701).
    pub struct Adadelta("Adadelta") {
        /// Learning rate, the factor of a step, 0 or more. Default 1.
        lr: f64 where finite_non_negative = 1.0,
        /// Coefficient of the running averages, from 0 to 1. Default 0.9.
        rho: f64 where fraction = 0.9,
        /// Added under both roots for numerical stability, 0 or more. Default 1e-6.
        eps: f64 where finite_non_negative = 1e-6,
        /// Weight decay as an L2 penalty, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for Adadelta {
    fn slots(&self) -> &'static [Slot] {
        const { &[Slot::STEP, Slot::elementwise("square_avg"), Slot::elementwise("acc_delta")] }
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, rho, eps, weight_decay, maximize } = *self;
        group.step(&AdadeltaOptions { lr, rho, eps, weight_decay, maximize }, found_inf)
    }
}
