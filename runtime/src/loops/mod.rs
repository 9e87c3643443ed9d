//! The loops: which hook is called when.

mod automatic;
mod batches;
mod evaluation;
mod fit;
mod prediction;
mod training_epoch;

pub(crate) use evaluation::{Evaluation, Kind};
pub(crate) use fit::fit;
pub(crate) use prediction::predict;
