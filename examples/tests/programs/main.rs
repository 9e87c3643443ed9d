//! Runs the programs of the examples as a user does, and checks their output and their files.

mod digits;
mod gan;
mod language_models;
mod resnet;
mod run;
#[cfg(feature = "tabular")]
mod tabular;
mod vae;
