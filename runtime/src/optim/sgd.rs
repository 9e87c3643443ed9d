use serde::{Deserialize, Serialize};

use super::algorithm::{Rule, Slot};
use super::error::{OptimizerError, require_non_negative};
use crate::native::{Group, NativeError, SgdOptions};

/// Stochastic gradient descent, optionally with momentum, as
/// [`torch.optim.SGD`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.SGD.html).
///
/// The momentum's buffer starts as the first gradient, undampened.
///
/// ```
/// use tch_lightning::optim::Sgd;
///
/// let sgd = Sgd::new(0.1).momentum(0.9).nesterov(true).weight_decay(5e-4);
/// assert_eq!(sgd.dampening, 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct Sgd {
    /// Learning rate, 0 or more. Default 0.001.
    pub lr: f64,
    /// Momentum factor, 0 or more. Default 0: no momentum, and no state.
    pub momentum: f64,
    /// How much less than in full a gradient enters the momentum, from the second on. Default 0.
    pub dampening: f64,
    /// Weight decay as an L2 penalty, 0 or more. Default 0.
    pub weight_decay: f64,
    /// Nesterov's momentum; needs a momentum, and no dampening. Default false.
    pub nesterov: bool,
    /// Ascend the objective. Default false.
    pub maximize: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, maximize: false }
    }
}

impl Sgd {
    /// Plain gradient descent with this learning rate, everything else by default.
    pub fn new(lr: f64) -> Self {
        Self { lr, ..Self::default() }
    }

    /// Sets the momentum factor.
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// Sets the dampening of the momentum.
    pub fn dampening(self, dampening: f64) -> Self {
        Self { dampening, ..self }
    }

    /// Sets the weight decay.
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// Chooses Nesterov's momentum.
    pub fn nesterov(self, nesterov: bool) -> Self {
        Self { nesterov, ..self }
    }

    /// Chooses to ascend the objective.
    pub fn maximize(self, maximize: bool) -> Self {
        Self { maximize, ..self }
    }
}

impl From<Sgd> for super::Algorithm {
    fn from(sgd: Sgd) -> Self {
        Self::Sgd(sgd)
    }
}

impl Rule for Sgd {
    fn name(&self) -> &'static str {
        "SGD"
    }

    fn lr(&self) -> f64 {
        self.lr
    }

    fn lr_mut(&mut self) -> &mut f64 {
        &mut self.lr
    }

    fn validate(&self) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        require_non_negative(optimizer, "lr", self.lr)?;
        require_non_negative(optimizer, "momentum", self.momentum)?;
        require_non_negative(optimizer, "weight_decay", self.weight_decay)?;
        if self.nesterov && (self.momentum <= 0.0 || self.dampening != 0.0) {
            return Err(OptimizerError::Nesterov { optimizer, momentum: self.momentum, dampening: self.dampening });
        }
        Ok(())
    }

    fn slots(&self) -> &'static [Slot] {
        const WITH_MOMENTUM: [Slot; 1] = [Slot::elementwise("momentum_buffer")];
        if self.momentum == 0.0 { &[] } else { &WITH_MOMENTUM }
    }

    fn step(&self, group: &mut Group) -> Result<(), NativeError> {
        group.sgd_step(&SgdOptions {
            lr: self.lr,
            momentum: self.momentum,
            dampening: self.dampening,
            weight_decay: self.weight_decay,
            nesterov: self.nesterov,
            maximize: self.maximize,
        })
    }
}
