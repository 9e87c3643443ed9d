//! What an algorithm has to say of itself to be one of [`Algorithm`](super::Algorithm)'s.

use super::OptimizerError;
use crate::native::{Group, NativeError};
use tch::Tensor;

/// What follows from an algorithm's declaration alone; `algorithm!` writes it.
pub(super) trait Declared {
    fn name(&self) -> &'static str;

    fn lr(&self) -> f64;

    fn lr_mut(&mut self) -> &mut f64;

    fn momentum(&self) -> Option<f64> {
        None
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    fn check_ranges(&self) -> Result<(), OptimizerError>;
}

pub(super) trait Rule: Declared {
    /// Checks hyperparameters that must fit each other; each for itself is in its range.
    fn check_together(&self) -> Result<(), OptimizerError> {
        Ok(())
    }

    /// The state that may be kept of every parameter, in the order of the `Slot` enumeration in the algorithm's C++ file.
    fn slots(&self) -> &'static [Slot];

    /// Whether the hyperparameters make use of a slot.
    fn keeps(&self, _: &Slot) -> bool {
        true
    }

    /// Updates the parameters that have a gradient, unless `found_inf` is there and not 0.
    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError>;
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
    /// The count of steps that almost every algorithm keeps.
    pub(super) const STEP: Self = Self::scalar("step");

    pub(super) const fn scalar(name: &'static str) -> Self {
        let shape = SlotShape::Scalar;
        Self { name, shape }
    }

    pub(super) const fn elementwise(name: &'static str) -> Self {
        let shape = SlotShape::Elementwise;
        Self { name, shape }
    }
}
