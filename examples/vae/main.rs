//! Learns a plane on which handwritten digits lie, without their labels. README.md in this folder shows how.

mod model;
mod plane;

use examples::data::DigitData;
use model::Vae;
use std::process::ExitCode;

fn main() -> ExitCode {
    Vae::main::<DigitData>()
}
