use super::declare::algorithm;
use super::rule::{Rule, Slot, SlotShape};
use crate::native::{AdafactorOptions, Group, NativeError};
use tch::Tensor;

algorithm! {
    /// Adafactor: [`torch.optim.Adafactor`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adafactor.html). Of a
    /// parameter with two dimensions or more, its state has a number for each row and column in place of one for each element.
    ///
    /// The length of a step is relative to the root mean square of the parameter. Half-precision parameters are stepped in single
    /// precision. Parameters cannot be complex.
    ///
    /// [Shazeer and Stern, *Adafactor: Adaptive Learning Rates with Sublinear Memory Cost*](https://arxiv.org/abs/1804.04235).
    pub struct Adafactor("Adafactor") {
        /// Learning rate, 0 or more: the largest length of a step relative to the parameter. Default 0.01.
        lr: f64 where finite_non_negative = 1e-2,
        /// Exponent of the decay of the running averages, whose coefficient is `1 - step.powf(beta2_decay)`, 0 or less. Default -0.8.
        beta2_decay: f64 where finite_non_positive = -0.8,
        /// The least root of an average square, and the least root mean square of a parameter, each 0 or more. Default
        /// `(None, 1e-3)`, where `None` is the distance from 1 to the next number of the parameter's dtype.
        eps: (Option<f64>, f64) where constants = (None, 1e-3),
        /// The root mean square of an update from which it is clipped, 1 or more. Default 1.
        d: f64 where one_or_more = 1.0,
        /// Decoupled weight decay, 0 or more. Default 0.
        weight_decay: f64 where finite_non_negative = 0.0,
        /// Ascend the objective. Default false.
        maximize: bool = false,
    }
}

impl Rule for Adafactor {
    fn slots(&self) -> &'static [Slot] {
        const {
            &[
                Slot::STEP,
                Slot { name: "row_var", shape: SlotShape::Rows },
                Slot { name: "col_var", shape: SlotShape::Columns },
                Slot { name: "variance", shape: SlotShape::Vector },
            ]
        }
    }

    fn refusal(&self, parameter: &Tensor) -> Option<String> {
        parameter.is_complex().then(|| "it is complex, and the algorithm is for real numbers only".to_owned())
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, beta2_decay, eps: (eps1, eps2), d, weight_decay, maximize } = *self;
        let (has_eps1, eps1) = (eps1.is_some(), eps1.unwrap_or_default());
        group.step(&AdafactorOptions { lr, beta2_decay, has_eps1, eps1, eps2, d, weight_decay, maximize }, found_inf)
    }
}
