use serde::{Deserialize, Serialize};

/// The first epoch in which weights are averaged: an epoch, from 1, or the fraction of the epochs before it.
///
/// In a configuration, an integer is an epoch, and a number with a decimal point a fraction.
///
/// ```
/// use tch_lightning::callbacks::EpochStart;
///
/// assert_eq!(EpochStart::from(20), EpochStart::Epoch(20));
/// assert_eq!(EpochStart::default(), EpochStart::from(0.8));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write an epoch as a whole number, or a fraction from 0.0 to 1.0")]
#[non_exhaustive]
pub enum EpochStart {
    /// An epoch, from 1.
    Epoch(usize),
    /// The fraction of the epochs before the first, from 0 to 1.
    Fraction(f64),
}

impl Default for EpochStart {
    fn default() -> Self {
        Self::Fraction(0.8)
    }
}

impl From<usize> for EpochStart {
    fn from(epoch: usize) -> Self {
        Self::Epoch(epoch)
    }
}

impl From<f64> for EpochStart {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

impl EpochStart {
    /// Returns the first epoch, from 0, in a run of this many epochs.
    ///
    /// # Errors
    /// The mistake in the value.
    pub(super) fn first_epoch(self, epochs: Option<usize>) -> Result<usize, String> {
        let number = match (self, epochs) {
            (Self::Epoch(0), _) => return Err("`swa_epoch_start` must be at least 1, but it is 0".to_owned()),
            (Self::Epoch(number), _) => number,
            (Self::Fraction(fraction), _) if !(0.0..=1.0).contains(&fraction) => {
                return Err(format!("`swa_epoch_start` must be from 0 to 1 as a fraction, but it is {fraction}"));
            }
            (Self::Fraction(_), None) => {
                return Err(
                    "`swa_epoch_start` is a fraction, but the number of epochs is not limited: set an epoch instead"
                        .to_owned(),
                );
            }
            (Self::Fraction(fraction), Some(epochs)) => (epochs as f64 * fraction) as usize,
        };
        Ok(number.saturating_sub(1))
    }
}
