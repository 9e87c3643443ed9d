//! Runs that are interrupted, and must lose nothing by it.

mod model;
pub mod random;

pub use model::{LINE, Load, Points, Trace, Training, Weights, checkpoints, points, rows, weights_of};
