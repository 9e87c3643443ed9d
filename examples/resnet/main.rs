//! Trains a ResNet-18 on some digits, and transfers it to others. README.md in this folder shows how.

mod augmented;
mod data;
mod model;

use data::SomeDigits;
use model::Classifier;
use std::process::ExitCode;

fn main() -> ExitCode {
    Classifier::main::<SomeDigits>()
}
