//! The checks of `update`: sizes, dtypes and devices, which are on the host, but never values.

use tch::{Kind, Tensor};

use super::error::Refusal;

/// Returns an error about the batch unless `holds`.
pub(super) fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Batch(reason())) }
}

pub(super) fn is_floating(tensor: &Tensor) -> bool {
    matches!(tensor.kind(), Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double)
}

pub(super) fn is_integral(tensor: &Tensor) -> bool {
    matches!(tensor.kind(), Kind::Bool | Kind::Uint8 | Kind::Int8 | Kind::Int16 | Kind::Int | Kind::Int64)
}

pub(super) fn require_floating(what: &str, tensor: &Tensor) -> Result<(), Refusal> {
    require(is_floating(tensor), || {
        format!("the {what} are {:?}: give scores, probabilities or logits of a floating-point dtype", tensor.kind())
    })
}

pub(super) fn require_labels(what: &str, tensor: &Tensor) -> Result<(), Refusal> {
    require(is_integral(tensor), || {
        format!("the {what} are {:?}: give labels of an integer dtype, such as Int64", tensor.kind())
    })
}

pub(super) fn require_real(what: &str, tensor: &Tensor) -> Result<(), Refusal> {
    require(is_floating(tensor) || is_integral(tensor), || {
        format!("the {what} are {:?}: give real numbers, such as Float", tensor.kind())
    })
}

pub(super) fn require_same_device(preds: &Tensor, target: &Tensor) -> Result<(), Refusal> {
    let (one, other) = (preds.device(), target.device());
    require(one == other, || {
        format!("the predictions are on {one:?} and the targets on {other:?}, but both must be on the same device")
    })
}

pub(super) fn require_same_shape(preds: &Tensor, target: &Tensor) -> Result<(), Refusal> {
    let (one, other) = (preds.size(), target.size());
    require(one == other, || {
        format!("the predictions have the shape {one:?} and the targets {other:?}, but both must have the same shape")
    })
}
