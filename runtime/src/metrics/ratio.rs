use tch::{TchError, Tensor};

use super::slot::real;

/// Returns a quotient in the device's widest dtype; 0 if the denominator is 0.
pub(super) fn ratio(numerator: &Tensor, denominator: &Tensor) -> Result<Tensor, TchError> {
    let kind = real(numerator.device());
    let quotient = numerator.f_to_kind(kind)?.f_div(&denominator.f_to_kind(kind)?)?;
    quotient.f_masked_fill(&denominator.f_eq(0)?, 0.0)
}
