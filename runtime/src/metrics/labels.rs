//! Labels that are class indices.
//!
//! An index out of range is undefined behaviour on some devices, and checking for one would wait for the device. So labels out
//! of range are replaced and counted on the device, and `compute` reports the count.

use tch::{Kind, TchError, Tensor};

use super::error::Refusal;
use super::slot::Slot;

/// Labels, flattened.
pub(super) struct Labels {
    /// The labels, i64 `[elements]`, with 0 for those that are not counted.
    pub(super) index: Tensor,
    /// Whether a label is in range and not ignored, bool `[elements]`.
    pub(super) counted: Tensor,
    /// The number of labels that are neither in range nor ignored, 0-dim i64.
    pub(super) out_of_range: Tensor,
}

impl Labels {
    /// Reads labels of any shape. Those from 0 to `classes` (exclusive) are in range.
    pub(super) fn read(labels: &Tensor, classes: i64, ignore_index: Option<i64>) -> Result<Self, TchError> {
        let labels = labels.f_to_kind(Kind::Int64)?.f_reshape([-1])?;
        let in_range = in_range(&labels, classes)?;
        let (counted, allowed) = match ignore_index {
            Some(index) => {
                (in_range.f_logical_and(&labels.f_ne(index)?)?, in_range.f_logical_or(&labels.f_eq(index)?)?)
            }
            None => (in_range.shallow_clone(), in_range),
        };
        let out_of_range = allowed.f_logical_not()?.f_sum(Kind::Int64)?;
        Ok(Self { index: labels.f_mul(&counted)?, counted, out_of_range })
    }
}

pub(super) fn in_range(labels: &Tensor, classes: i64) -> Result<Tensor, TchError> {
    labels.f_ge(0)?.f_logical_and(&labels.f_lt(classes)?)
}

impl Slot {
    /// The number of labels out of range.
    pub(super) fn out_of_range() -> Self {
        Self::count("out_of_range", [])
    }
}

/// Returns an error if labels were out of range. Waits for the device.
pub(super) fn require_in_range(out_of_range: &Tensor, range: &str) -> Result<(), Refusal> {
    let count = out_of_range.f_int64_value(&[])?;
    if count == 0 {
        return Ok(());
    }
    let labels = if count == 1 { "1 label was".to_owned() } else { format!("{count} labels were") };
    Err(Refusal::Values(format!("{labels} not {range}; correct the data, or skip them with `ignore_index`")))
}
