use serde::{Deserialize, Serialize};

use super::adam;
use super::algorithm::{Rule, Slot};
use super::error::OptimizerError;
use crate::native::{AdamOptions, Group, NativeError};

/// Adam with decoupled weight decay, as
/// [`torch.optim.AdamW`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.AdamW.html).
///
/// The weights themselves decay, by `lr * weight_decay` of their value a step; the running averages do not see it.
///
/// [Loshchilov and Hutter, *Decoupled Weight Decay Regularization*](https://arxiv.org/abs/1711.05101).
///
/// ```
/// use tch_lightning::optim::AdamW;
///
/// let adamw = AdamW::new(3e-4).betas((0.9, 0.95));
/// assert_eq!(adamw.weight_decay, 0.01);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct AdamW {
    /// Learning rate, 0 or more. Default 0.001.
    pub lr: f64,
    /// Coefficients of the running averages of the gradient and of its square, each at least 0 and below 1.
    /// Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the denominator for numerical stability, 0 or more. Default 1e-8.
    pub eps: f64,
    /// Decoupled weight decay, 0 or more. Default 0.01.
    pub weight_decay: f64,
    /// Divide by the largest average square so far, as in
    /// [*On the Convergence of Adam and Beyond*](https://openreview.net/forum?id=ryQu7f-RZ). Default false.
    pub amsgrad: bool,
    /// Ascend the objective. Default false.
    pub maximize: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 1e-2, amsgrad: false, maximize: false }
    }
}

impl AdamW {
    /// AdamW with this learning rate, everything else by default.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
    }

    /// Sets the coefficients of the running averages of the gradient and of its square.
    pub fn betas(self, betas: (f64, f64)) -> Self {
        Self { betas, ..self }
    }

    /// Sets what is added to the denominator.
    pub fn eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    /// Sets the weight decay.
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// Chooses the AMSGrad variant.
    pub fn amsgrad(self, amsgrad: bool) -> Self {
        Self { amsgrad, ..self }
    }

    /// Chooses to ascend the objective.
    pub fn maximize(self, maximize: bool) -> Self {
        Self { maximize, ..self }
    }

    fn options(&self) -> AdamOptions {
        AdamOptions {
            lr: self.lr,
            beta1: self.betas.0,
            beta2: self.betas.1,
            eps: self.eps,
            weight_decay: self.weight_decay,
            decoupled_weight_decay: true,
            amsgrad: self.amsgrad,
            maximize: self.maximize,
        }
    }
}

impl From<AdamW> for super::Algorithm {
    fn from(adamw: AdamW) -> Self {
        Self::AdamW(adamw)
    }
}

impl Rule for AdamW {
    fn name(&self) -> &'static str {
        "AdamW"
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn lr_mut(&mut self) -> &mut f64 {
        &mut self.lr
    }

    fn validate(&self) -> Result<(), OptimizerError> {
        adam::validate(self.name(), &self.options())
    }

    fn slots(&self) -> &'static [Slot] {
        adam::slots(self.amsgrad)
    }

    fn step(&self, group: &mut Group) -> Result<(), NativeError> {
        group.adam_step(&self.options())
    }
}
