use serde::{Deserialize, Serialize};

use super::{Adam, AdamW, OptimizerError, Sgd};
use crate::native::{Group, NativeError};

/// An optimization algorithm with its hyperparameters, not yet bound to parameters.
///
/// Made from any of the algorithms' own types with `into()`. Serialized, it is the algorithm's name with its
/// hyperparameters, as in `{"AdamW": {"lr": 0.001, …}}`; those left out when it is read have their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Algorithm {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam, whose weight decay is an L2 penalty.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
}

impl Algorithm {
    /// The algorithm's name in PyTorch, such as `AdamW`.
    pub fn name(&self) -> &'static str {
        self.rule().name()
    }

    /// The learning rate.
    pub fn lr(&self) -> f64 {
        self.rule().lr()
    }

    /// Sets the learning rate. It is checked when an [`Optimizer`](super::Optimizer) is made, not here.
    pub fn set_lr(&mut self, lr: f64) {
        *self.rule_mut().lr_mut() = lr;
    }

    /// Checks the hyperparameters by PyTorch's rules.
    ///
    /// # Errors
    /// [`OptimizerError::Hyperparameter`] for the first that is out of its range.
    pub fn validate(&self) -> Result<(), OptimizerError> {
        self.rule().validate()
    }

    pub(super) fn rule(&self) -> &dyn Rule {
        match self {
            Self::Sgd(sgd) => sgd,
            Self::Adam(adam) => adam,
            Self::AdamW(adamw) => adamw,
        }
    }

    fn rule_mut(&mut self) -> &mut dyn Rule {
        match self {
            Self::Sgd(sgd) => sgd,
            Self::Adam(adam) => adam,
            Self::AdamW(adamw) => adamw,
        }
    }
}

/// What an algorithm has to say of itself to be one of [`Algorithm`]'s.
pub(super) trait Rule {
    fn name(&self) -> &'static str;

    fn lr(&self) -> f64;

    fn lr_mut(&mut self) -> &mut f64;

    fn validate(&self) -> Result<(), OptimizerError>;

    /// The state kept of every parameter, in the order of the `Slot` enumeration in the algorithm's C++ file.
    fn slots(&self) -> &'static [Slot];

    fn step(&self, group: &mut Group) -> Result<(), NativeError>;
}

/// One kind of state, of which every parameter has a tensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) name: &'static str,
    pub(super) shape: SlotShape,
}

/// The shape of a slot's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotShape {
    /// 0-dim f32, whatever the parameter is.
    Scalar,
    /// The parameter's own shape and dtype.
    Elementwise,
}

impl Slot {
    pub(super) const fn scalar(name: &'static str) -> Self {
        let shape = SlotShape::Scalar;
        Self { name, shape }
    }

    pub(super) const fn elementwise(name: &'static str) -> Self {
        let shape = SlotShape::Elementwise;
        Self { name, shape }
    }
}
