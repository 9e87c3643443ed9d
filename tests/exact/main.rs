//! Runs that are resumed, and train on the same samples to the same weights as a run that was not interrupted.
#![allow(missing_docs)]

mod draws;
mod gradients;
mod positions;
mod routed;
mod slope;
mod weighted;
