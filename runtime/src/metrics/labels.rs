//! Labels that are class indices.
//!
//! An index outside of its range would be undefined behaviour on some devices, and asking whether there is one would wait
//! for the device. So every label is made safe and those out of range are counted, for `compute` to tell.

use tch::{Kind, TchError, Tensor};

use super::error::Refusal;
use super::slot::Slot;

/// Labels, flattened.
pub(super) struct Labels {
    /// The labels, i64 `[elements]`, and 0 for those that are not counted.
    pub(super) index: Tensor,
    /// Whether a label is in range and not to be ignored, bool `[elements]`.
    pub(super) counted: Tensor,
    /// How many labels are neither in range nor to be ignored, 0-dim i64.
    pub(super) out_of_range: Tensor,
}

impl Labels {
    /// Reads labels of any shape, of which those from 0 to below `classes` are in range.
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
    /// The count of labels out of range.
    pub(super) fn out_of_range() -> Self {
        Self::count("out_of_range", [])
    }
}

/// Fails where labels were out of range. Waits for the device.
pub(super) fn require_in_range(out_of_range: &Tensor, range: &str) -> Result<(), Refusal> {
    let count = out_of_range.f_int64_value(&[])?;
    if count == 0 {
        return Ok(());
    }
    let labels = if count == 1 { "1 label was".to_owned() } else { format!("{count} labels were") };
    Err(Refusal::Values(format!("{labels} not {range}: mend the data, or leave them out with `ignore_index`")))
}
