//! Handwritten digits that nobody wrote: a conditional generative adversarial network, optimized manually.
//!
//! `cargo run --release -p examples --bin gan -- fit` trains it, and leaves `samples.png` in the run's folder: ten digits of
//! each kind. Source: [Goodfellow et al., *Generative Adversarial Nets*](https://arxiv.org/abs/1406.2661);
//! [Mirza and Osindero, *Conditional Generative Adversarial Nets*](https://arxiv.org/abs/1411.1784).

mod model;
mod samples;

use examples::data::DigitData;
use model::Gan;
use std::process::ExitCode;

fn main() -> ExitCode {
    Gan::main::<DigitData>()
}
