use serde::{Deserialize, Serialize};

/// From which epoch on weights are averaged: an epoch, counted from 1, or the fraction of the epochs that go before.
///
/// Written in a configuration it is a whole number, or one with a point.
///
/// ```
/// use tch_lightning::callbacks::EpochStart;
///
/// assert_eq!(EpochStart::from(20), EpochStart::Epoch(20));
/// assert_eq!(EpochStart::default(), EpochStart::from(0.8));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "an epoch as a whole number, or a fraction from 0.0 to 1.0")]
#[non_exhaustive]
pub enum EpochStart {
    /// An epoch, the first of all being 1.
    Epoch(usize),
    /// So much of the epochs goes before, 0 to 1.
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
    /// The epoch, from 0, in a run of so many epochs; or what is wrong with it.
    pub(super) fn first_epoch(self, epochs: Option<usize>) -> Result<usize, String> {
        let number = match (self, epochs) {
            (Self::Epoch(0), _) => return Err("`swa_epoch_start` is 0: epochs are counted from 1 there".to_owned()),
            (Self::Epoch(number), _) => number,
            (Self::Fraction(fraction), _) if !(0.0..=1.0).contains(&fraction) => {
                return Err(format!("`swa_epoch_start` is {fraction}: a fraction must be from 0 to 1"));
            }
            (Self::Fraction(_), None) => {
                return Err("`swa_epoch_start` is a fraction, and the epochs are not limited: give an epoch".to_owned());
            }
            (Self::Fraction(fraction), Some(epochs)) => (epochs as f64 * fraction) as usize,
        };
        Ok(number.saturating_sub(1))
    }
}
