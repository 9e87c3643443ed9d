//! Precision: the dtypes of a run's computations, and the loss scaling that float16 requires.

mod choice;
mod grad_scaler;

pub use choice::{Precision, UnknownPrecision};
pub use grad_scaler::{GradScaler, GradScalerState};
