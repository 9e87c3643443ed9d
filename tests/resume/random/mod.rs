//! Random trainings, each with and without an interruption at a random place.

mod check;
mod model;
mod plan;

pub use check::{Outcome, check};
pub use plan::Plan;
