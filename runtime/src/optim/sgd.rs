use super::declare::algorithm;
use super::error::OptimizerError;
use super::rule::{Declared, Rule, Slot};
use crate::native::{Group, NativeError, SgdOptions};
use tch::Tensor;

algorithm! {
    /// Stochastic gradient descent, optionally with momentum:
    /// [`torch.optim.SGD`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.SGD.html).
    ///
    /// The momentum buffer starts with the first gradient, without dampening.
    ///
    /// ```
    /// use tch_lightning::optim::Sgd;
    ///
    /// let sgd = Sgd::new(0.1).momentum(0.9).nesterov(true).weight_decay(5e-4);
    /// assert_eq!(sgd.dampening, 0.0);
    /// ```
    pub struct Sgd("SGD", momentum = momentum) {
        /// Learning rate, 0 or more. Default 0.001.
        lr: f64 where finite_non_negative = 1e-3,
        /// Momentum factor, 0 or more. Default 0: no momentum, and no state.
        momentum: f64 where finite_non_negative = 0.0,
        /// Dampening of the momentum: from the second step on, gradients enter it with the factor `1 - dampening`. Default 0.
        dampening: f64 where finite = 0.0,
        /// Weight decay as an L2 penalty, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Use Nesterov momentum, which requires a momentum and no dampening. Default false.
        nesterov: bool = false,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for Sgd {
    fn check_together(&self) -> Result<(), OptimizerError> {
        let Self { momentum, dampening, .. } = *self;
        if self.nesterov && (momentum <= 0.0 || dampening != 0.0) {
            return Err(OptimizerError::Nesterov { optimizer: self.name(), momentum, dampening });
        }
        Ok(())
    }

    fn slots(&self) -> &'static [Slot] {
        const { &[Slot::elementwise("momentum_buffer")] }
    }

    fn keeps(&self, _: &Slot) -> bool {
        self.momentum != 0.0
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, momentum, dampening, weight_decay, nesterov, maximize } = *self;
        group.step(&SgdOptions { lr, momentum, dampening, weight_decay, nesterov, maximize }, found_inf)
    }
}
