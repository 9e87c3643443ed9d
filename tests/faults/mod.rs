//! What is done to a run that must lose nothing by it.

mod model;

pub use model::{Points, Trace, Training, Weights, checkpoints};
