//! Runs that go wrong.

mod model;

pub use model::{Events, Fault, Net, config, nan_at};
