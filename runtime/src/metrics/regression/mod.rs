//! Regression metrics.

mod mean_absolute_error;
mod mean_error;
mod mean_squared_error;
mod outputs;
mod r2_score;

pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use r2_score::{MultiOutput, R2Score};
