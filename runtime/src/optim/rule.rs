//! The traits of algorithms, the variants of [`Algorithm`](super::Algorithm).

use super::OptimizerError;
use crate::native::{Group, NativeError};
use tch::Tensor;

/// The part of an algorithm that follows from its declaration; implemented by `algorithm!`.
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
    /// Checks hyperparameters that depend on each other, each of which is in its range.
    fn check_together(&self) -> Result<(), OptimizerError> {
        Ok(())
    }

    /// The slots of each parameter's state, in the order of the `Slot` enumeration in the algorithm's C++ file.
    fn slots(&self) -> &'static [Slot];

    /// Whether the algorithm uses a slot with these hyperparameters.
    fn keeps(&self, _: &Slot) -> bool {
        true
    }

    /// Updates the parameters that have a gradient, unless `found_inf` is given and not 0.
    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError>;
}

/// A kind of state, with one tensor per parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) name: &'static str,
    pub(super) shape: SlotShape,
}

/// The shape of a slot's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotShape {
    /// 0-dim f32, for every parameter.
    Scalar,
    /// The parameter's own shape and dtype.
    Elementwise,
}

impl Slot {
    /// The number of steps, a slot of almost every algorithm.
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
