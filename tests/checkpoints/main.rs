//! The files that `ModelCheckpoint` leaves: their names, which are kept, and what a run that is resumed does with them.
#![allow(missing_docs)]

mod folders;
mod kept;
mod model;
mod names;
mod two_runs;
