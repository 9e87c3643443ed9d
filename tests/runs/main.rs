//! Runs as wholes: where they end and why, several of one trainer, and those that are resumed.
#![allow(missing_docs)]

mod callbacks;
mod ends;
mod model;
mod resumed;
mod several;
