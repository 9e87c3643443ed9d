//! The slots of a metric's state: named tensors that are joined by sum, minimum, maximum or concatenation.

use tch::{Device, Kind, TchError, Tensor};

use super::DistReduceFx;

/// One tensor of a metric's state.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) name: &'static str,
    pub(super) dist_reduce_fx: DistReduceFx,
    content: Content,
    /// The shape, or that of a row if rows are concatenated.
    shape: Vec<i64>,
}

/// The kind of numbers in a slot, which determines their dtype on a device.
#[derive(Debug, Clone, Copy)]
enum Content {
    Integer,
    Real,
    Score,
}

/// The dtype of sums and values on a device. Apple's GPUs have no f64.
pub(super) fn real(device: Device) -> Kind {
    if device == Device::Mps { Kind::Float } else { Kind::Double }
}

impl Slot {
    /// An i64 count, summed.
    pub(super) fn count(name: &'static str, shape: impl Into<Vec<i64>>) -> Self {
        Self { name, dist_reduce_fx: DistReduceFx::Sum, content: Content::Integer, shape: shape.into() }
    }

    /// Real numbers of the device's widest dtype, joined by this reduction.
    pub(super) fn real(name: &'static str, dist_reduce_fx: DistReduceFx, shape: impl Into<Vec<i64>>) -> Self {
        Self { name, dist_reduce_fx, content: Content::Real, shape: shape.into() }
    }

    /// Rows of f32 scores, concatenated.
    pub(super) fn scores(name: &'static str, row: impl Into<Vec<i64>>) -> Self {
        Self { name, dist_reduce_fx: DistReduceFx::Cat, content: Content::Score, shape: row.into() }
    }

    /// Rows of i64 labels, concatenated.
    pub(super) fn labels(name: &'static str, row: impl Into<Vec<i64>>) -> Self {
        Self { name, dist_reduce_fx: DistReduceFx::Cat, content: Content::Integer, shape: row.into() }
    }

    pub(super) fn kind(&self, device: Device) -> Kind {
        match self.content {
            Content::Integer => Kind::Int64,
            Content::Real => real(device),
            Content::Score => Kind::Float,
        }
    }

    /// The expected shape of a tensor of this slot, given its shape `found`: the number of rows is arbitrary.
    pub(super) fn shape_like(&self, found: &[i64]) -> Vec<i64> {
        match self.dist_reduce_fx {
            DistReduceFx::Cat => {
                let rows = found.first().copied().unwrap_or(0);
                [&[rows], self.shape.as_slice()].concat()
            }
            _ => self.shape.clone(),
        }
    }

    /// The neutral element of the reduction: the state before the first batch.
    pub(super) fn neutral(&self, device: Device) -> Result<Tensor, TchError> {
        let value = match self.dist_reduce_fx {
            DistReduceFx::Sum | DistReduceFx::Cat => 0.0,
            DistReduceFx::Min => f64::INFINITY,
            DistReduceFx::Max => f64::NEG_INFINITY,
        };
        Tensor::f_full(self.shape_like(&[0]), value, (self.kind(device), device))
    }
}
