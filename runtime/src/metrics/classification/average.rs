use tch::{TchError, Tensor};

use crate::metrics::ratio::ratio;

/// The average over classes or labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Average {
    /// The value of all classes together: each element has the same weight.
    Micro,
    /// The mean over classes: each class has the same weight.
    Macro,
    /// The mean over classes, weighted by the number of their elements.
    Weighted,
    /// No average: a value for each class, `[classes]`.
    None,
}

/// Returns the weighted mean of values `[classes]`; 0 if all weights are 0.
pub(super) fn weighted_mean(values: &Tensor, weights: &Tensor) -> Result<Tensor, TchError> {
    ratio(&values.f_mul(weights)?.f_sum(None)?, &weights.f_sum(None)?)
}
