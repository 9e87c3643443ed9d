//! Recognizes handwritten digits with a small convolutional network.
//!
//! `cargo run --release -p examples --bin digits -- fit` trains it; then `test` prints its accuracy on unseen digits, and
//! `predict` writes its prediction for each of them.

mod model;
mod picture;
mod predictions;

use examples::data::DigitData;
use model::DigitClassifier;
use std::process::ExitCode;

fn main() -> ExitCode {
    DigitClassifier::main::<DigitData>()
}
