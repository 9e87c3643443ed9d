//! Handwritten digits, read by a small convolutional network.
//!
//! `cargo run --release -p examples --bin digits -- fit` trains it; then `test` tells its accuracy on digits that it has
//! not seen, and `predict` writes what it takes each of them for.

mod model;
mod picture;
mod predictions;

use examples::data::DigitData;
use model::DigitClassifier;
use std::process::ExitCode;

fn main() -> ExitCode {
    DigitClassifier::main::<DigitData>()
}
