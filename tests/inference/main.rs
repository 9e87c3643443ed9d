//! A module that is loaded from a checkpoint, frozen modules, and the mode of layers such as dropout.
#![allow(missing_docs)]

mod build;
mod freeze;
mod hyperparameters;
mod load_from_checkpoint;
mod model;
mod modes;
