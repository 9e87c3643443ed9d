//! The loops, which call the hooks.

mod automatic;
mod batches;
mod divided_again;
mod evaluation;
mod fit;
mod lr_schedulers;
mod manual;
mod prediction;
mod requests;
mod stopping;
mod trace;
mod training;
mod training_epoch;
mod validation;

pub(crate) use evaluation::{Evaluation, Kind};
pub(crate) use fit::fit;
pub(crate) use prediction::{TakesPrediction, predict};
pub(crate) use trace::trace;
pub(crate) use training::Training;
