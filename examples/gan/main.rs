//! Generates handwritten digits with a conditional generative adversarial network and manual optimization.
//!
//! `cargo run --release -p examples --bin gan -- fit` trains it, and writes `samples.png` to the run's folder: ten digits of
//! each class. Source: [Goodfellow et al., *Generative Adversarial Nets*](https://arxiv.org/abs/1406.2661);
//! [Mirza and Osindero, *Conditional Generative Adversarial Nets*](https://arxiv.org/abs/1411.1784).

mod model;
mod samples;

use examples::data::DigitData;
use model::Gan;
use std::process::ExitCode;

fn main() -> ExitCode {
    Gan::main::<DigitData>()
}
