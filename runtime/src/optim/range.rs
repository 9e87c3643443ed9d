//! The ranges of hyperparameters. Each function returns an error if the value is out of range.

use super::OptimizerError;

type InRange = Result<(), OptimizerError>;

/// Requires a finite number.
pub(super) fn finite(optimizer: &'static str, name: &'static str, value: f64) -> InRange {
    require(value.is_finite(), optimizer, name, value, "a finite number")
}

/// Requires a finite number of 0 or more.
pub(super) fn finite_non_negative(optimizer: &'static str, name: &'static str, value: f64) -> InRange {
    require(value >= 0.0 && value.is_finite(), optimizer, name, value, "a finite number of 0 or more")
}

/// Requires a finite number of 0 or less.
pub(super) fn finite_non_positive(optimizer: &'static str, name: &'static str, value: f64) -> InRange {
    require(value <= 0.0 && value.is_finite(), optimizer, name, value, "a finite number of 0 or less")
}

/// Requires a finite number of 1 or more.
pub(super) fn one_or_more(optimizer: &'static str, name: &'static str, value: f64) -> InRange {
    require(value >= 1.0 && value.is_finite(), optimizer, name, value, "a finite number of 1 or more")
}

/// Requires a number of 0 or more, which may be infinite.
pub(super) fn non_negative(optimizer: &'static str, name: &'static str, value: f64) -> InRange {
    require(value >= 0.0, optimizer, name, value, "a number of 0 or more")
}

/// Requires a number from 0 to 1, inclusive.
pub(super) fn fraction(optimizer: &'static str, name: &'static str, value: f64) -> InRange {
    require((0.0..=1.0).contains(&value), optimizer, name, value, "at least 0 and at most 1")
}

/// Requires two coefficients of running averages.
pub(super) fn betas(optimizer: &'static str, _: &'static str, (first, second): (f64, f64)) -> InRange {
    let beta = |name, value| {
        let holds = (0.0..1.0).contains(&value);
        require(holds, optimizer, name, value, "at least 0 and below 1")
    };
    beta("betas.0", first)?;
    beta("betas.1", second)
}

/// Requires two constants of Adafactor, the first of which may be missing.
pub(super) fn constants(optimizer: &'static str, _: &'static str, (first, second): (Option<f64>, f64)) -> InRange {
    finite_non_negative(optimizer, "eps.0", first.unwrap_or_default())?;
    finite_non_negative(optimizer, "eps.1", second)
}

/// Requires the three coefficients of a polynomial.
pub(super) fn coefficients(optimizer: &'static str, _: &'static str, (a, b, c): (f64, f64, f64)) -> InRange {
    finite(optimizer, "ns_coefficients.0", a)?;
    finite(optimizer, "ns_coefficients.1", b)?;
    finite(optimizer, "ns_coefficients.2", c)
}

/// Requires a number of iterations below 100, as PyTorch does.
pub(super) fn below_100(optimizer: &'static str, name: &'static str, value: usize) -> InRange {
    require(value < 100, optimizer, name, value as f64, "below 100")
}

/// Requires a count of 1 or more.
pub(super) fn positive(optimizer: &'static str, name: &'static str, value: usize) -> InRange {
    require(value >= 1, optimizer, name, value as f64, "1 or more")
}

fn require(holds: bool, optimizer: &'static str, name: &'static str, value: f64, expected: &'static str) -> InRange {
    if holds {
        return Ok(());
    }
    Err(OptimizerError::Hyperparameter { optimizer, name, value, expected })
}
