use serde::{Deserialize, Serialize};

use super::algorithm::{Rule, Slot};
use super::error::{OptimizerError, require_beta, require_non_negative};
use crate::native::{AdamOptions, Group, NativeError};

/// Adam, as [`torch.optim.Adam`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.Adam.html).
///
/// Its weight decay is an L2 penalty, added to the gradient; [`AdamW`](super::AdamW) decays the weights themselves.
///
/// [Kingma and Ba, *Adam: A Method for Stochastic Optimization*](https://arxiv.org/abs/1412.6980).
///
/// ```
/// use tch_lightning::optim::Adam;
///
/// let adam = Adam::new(3e-4).betas((0.9, 0.95));
/// assert_eq!(adam.weight_decay, 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct Adam {
    /// Learning rate, 0 or more. Default 0.001.
    pub lr: f64,
    /// Coefficients of the running averages of the gradient and of its square, each at least 0 and below 1.
    /// Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the denominator for numerical stability, 0 or more. Default 1e-8.
    pub eps: f64,
    /// Weight decay as an L2 penalty, 0 or more. Default 0.
    pub weight_decay: f64,
    /// Divide by the largest average square so far, as in
    /// [*On the Convergence of Adam and Beyond*](https://openreview.net/forum?id=ryQu7f-RZ). Default false.
    pub amsgrad: bool,
    /// Ascend the objective. Default false.
    pub maximize: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, amsgrad: false, maximize: false }
    }
}

impl Adam {
    /// Adam with this learning rate, everything else by default.
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
            decoupled_weight_decay: false,
            amsgrad: self.amsgrad,
            maximize: self.maximize,
        }
    }
}

impl From<Adam> for super::Algorithm {
    fn from(adam: Adam) -> Self {
        Self::Adam(adam)
    }
}

impl Rule for Adam {
    fn name(&self) -> &'static str {
        "Adam"
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn lr_mut(&mut self) -> &mut f64 {
        &mut self.lr
    }

    fn validate(&self) -> Result<(), OptimizerError> {
        validate(self.name(), &self.options())
    }

    fn slots(&self) -> &'static [Slot] {
        slots(self.amsgrad)
    }

    fn step(&self, group: &mut Group) -> Result<(), NativeError> {
        group.adam_step(&self.options())
    }
}

/// The rules of `torch.optim.Adam`, which AdamW has too.
pub(super) fn validate(optimizer: &'static str, options: &AdamOptions) -> Result<(), OptimizerError> {
    require_non_negative(optimizer, "lr", options.lr)?;
    require_non_negative(optimizer, "eps", options.eps)?;
    require_beta(optimizer, "betas.0", options.beta1)?;
    require_beta(optimizer, "betas.1", options.beta2)?;
    require_non_negative(optimizer, "weight_decay", options.weight_decay)
}

/// The state of Adam and AdamW; the last slot is AMSGrad's.
pub(super) fn slots(amsgrad: bool) -> &'static [Slot] {
    const SLOTS: [Slot; 4] = [
        Slot::scalar("step"),
        Slot::elementwise("exp_avg"),
        Slot::elementwise("exp_avg_sq"),
        Slot::elementwise("max_exp_avg_sq"),
    ];
    if amsgrad { &SLOTS } else { &SLOTS[..3] }
}
