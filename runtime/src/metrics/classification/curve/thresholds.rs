use std::cell::RefCell;

use tch::{Device, Kind, TchError, Tensor};

use crate::metrics::error::{Refusal, require_option};

/// The thresholds at which a curve is evaluated. Convert with `into()` from an integer of at least 2, for this number of
/// evenly spaced thresholds from 0 to 1, or from ascending numbers from 0 to 1.
#[derive(Debug)]
pub struct Thresholds {
    choice: Choice,
    /// Copied to a device once: a copy waits for it.
    on_device: RefCell<Option<Tensor>>,
}

#[derive(Debug, Clone)]
enum Choice {
    Evenly(i64),
    At(Vec<f32>),
}

impl Clone for Thresholds {
    fn clone(&self) -> Self {
        Self::new(self.choice.clone())
    }
}

impl From<i64> for Thresholds {
    fn from(number: i64) -> Self {
        Self::new(Choice::Evenly(number))
    }
}

impl From<Vec<f32>> for Thresholds {
    fn from(thresholds: Vec<f32>) -> Self {
        Self::new(Choice::At(thresholds))
    }
}

impl<const N: usize> From<[f32; N]> for Thresholds {
    fn from(thresholds: [f32; N]) -> Self {
        Self::new(Choice::At(thresholds.into()))
    }
}

impl Thresholds {
    fn new(choice: Choice) -> Self {
        Self { choice, on_device: RefCell::new(None) }
    }

    /// How many there are.
    pub(super) fn number(&self) -> i64 {
        match &self.choice {
            Choice::Evenly(number) => *number,
            Choice::At(thresholds) => thresholds.len() as i64,
        }
    }

    pub(super) fn validate(&self) -> Result<(), Refusal> {
        match &self.choice {
            Choice::Evenly(number) => {
                require_option(*number >= 2, || format!("thresholds is {number}, but as a number it must be 2 or more"))
            }
            Choice::At(thresholds) => {
                let holds = !thresholds.is_empty()
                    && thresholds.iter().all(|threshold| (0.0..=1.0).contains(threshold))
                    && thresholds.is_sorted();
                require_option(holds, || format!("thresholds are {thresholds:?}, but they must ascend from 0 to 1"))
            }
        }
    }

    /// All of them, f32 `[thresholds]`.
    pub(super) fn on(&self, device: Device) -> Result<Tensor, TchError> {
        let mut on_device = self.on_device.borrow_mut();
        let made = match on_device.take().filter(|made| made.device() == device) {
            Some(made) => made,
            None => self.choice.make(device)?,
        };
        Ok(on_device.insert(made).shallow_clone())
    }
}

impl Choice {
    fn make(&self, device: Device) -> Result<Tensor, TchError> {
        match self {
            Self::Evenly(number) => Tensor::f_linspace(0.0, 1.0, *number, (Kind::Float, device)),
            Self::At(thresholds) => Tensor::f_from_slice(thresholds)?.f_to_device(device),
        }
    }
}
