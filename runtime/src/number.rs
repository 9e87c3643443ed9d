//! Logged numbers as people read them.

use std::fmt;

/// A logged number for a terminal: with four decimals, or four significant digits in scientific notation if it is small, such as a
/// learning rate of 3e-4.
pub(crate) struct Number(pub(crate) f64);

/// The magnitude below which four decimals show fewer than two significant digits.
const SMALL: f64 = 1e-3;

/// The magnitude from which decimals are noise.
const LARGE: f64 = 1e7;

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.abs();
        if magnitude != 0.0 && magnitude.is_finite() && !(SMALL..LARGE).contains(&magnitude) {
            write!(f, "{:.3e}", self.0)
        } else {
            write!(f, "{:.4}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_keep_their_digits() {
        let shown =
            [3e-4, -1.2346e-6, 0.0, 0.05, 2.5, 123.456_78, 1e9, f64::NAN].map(|value| Number(value).to_string());
        assert_eq!(shown, ["3.000e-4", "-1.235e-6", "0.0000", "0.0500", "2.5000", "123.4568", "1.000e9", "NaN"]);
    }
}
