//! The files that `ModelCheckpoint` leaves: their names, which are kept, and what a run that is resumed does with them.
#![allow(missing_docs)]

mod ckpt_path;
mod counters;
mod folders;
mod frozen;
mod kept;
mod misfits;
mod model;
mod names;
mod parts;
mod two_runs;
