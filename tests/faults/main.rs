//! Every end of a run is orderly, and every bad input one clear sentence.

mod aborts;
mod built;
mod child;
mod ckpt_path;
mod configuration;
mod ends;
mod files;
mod hyperparameters;
mod later_failures;
mod losses;
mod overridden_twice;
mod said;
mod signals;
mod untrained;
