use tch::{TchError, Tensor};

use crate::metrics::ratio::ratio;

/// How the values of classes or labels become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// The value of all classes taken together: each element weighs the same.
    Micro,
    /// The mean over classes: each class weighs the same.
    Macro,
    /// The mean over classes, weighted with how many elements have each.
    Weighted,
    /// No average: a value for each class, `[classes]`.
    None,
}

/// The mean of values `[classes]` with weights, and 0 where there is no weight.
pub(super) fn weighted_mean(values: &Tensor, weights: &Tensor) -> Result<Tensor, TchError> {
    ratio(&values.f_mul(weights)?.f_sum(None)?, &weights.f_sum(None)?)
}
