//! Runs that are interrupted, and must lose nothing by it.

mod model;

pub use model::{Points, Trace, Training, Weights, checkpoints};
