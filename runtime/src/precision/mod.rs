//! Precision: the dtypes that a run computes in, and the scaling of the loss that float16 needs.

mod choice;
mod grad_scaler;

pub use choice::{Precision, UnknownPrecision};
pub use grad_scaler::{GradScaler, GradScalerState};
