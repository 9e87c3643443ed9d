//! The traits of algorithms, the variants of [`Algorithm`](super::Algorithm).

use super::OptimizerError;
use crate::native::{Group, NativeError};
use tch::{Kind, Tensor};

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

    fn weight_decay(&self) -> Option<f64>;

    fn weight_decay_mut(&mut self) -> Option<&mut f64>;

    fn check_ranges(&self) -> Result<(), OptimizerError>;
}

pub(super) trait Rule: Declared {
    /// Checks hyperparameters that depend on each other, each of which is in its range.
    fn check_together(&self) -> Result<(), OptimizerError> {
        Ok(())
    }

    /// The slots of each parameter's state, in the order of the `Slot` enumeration in the algorithm's C++ file.
    fn slots(&self) -> &'static [Slot];

    /// Returns why the algorithm cannot update a parameter, and how to fix it.
    fn refusal(&self, _: &Tensor) -> Option<String> {
        None
    }

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
    /// As `Elementwise`, for parameters with fewer than two dimensions.
    Vector,
    /// A number for each row of a parameter with at least two dimensions, in its dtype: the last dimension is 1.
    Rows,
    /// A number for each column of a parameter with at least two dimensions, in its dtype: the last dimension but one is 1.
    Columns,
}

impl SlotShape {
    /// Whether a parameter has a tensor of this shape.
    pub(super) fn applies_to(self, parameter: &Tensor) -> bool {
        match self {
            Self::Scalar | Self::Elementwise => true,
            Self::Vector => parameter.dim() < 2,
            Self::Rows | Self::Columns => parameter.dim() >= 2,
        }
    }

    /// Returns the shape and the dtype of a parameter's tensor.
    pub(super) fn of(self, parameter: &Tensor) -> (Vec<i64>, Kind) {
        let mut shape = parameter.size();
        let last = shape.len().saturating_sub(1);
        match self {
            Self::Scalar => return (Vec::new(), Kind::Float),
            Self::Elementwise | Self::Vector => {}
            Self::Rows => shape[last] = 1,
            Self::Columns => shape[last - 1] = 1,
        }
        (shape, parameter.kind())
    }
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
