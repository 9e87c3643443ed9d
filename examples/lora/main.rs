//! Fine-tunes the language model of the example `gpt` on another text, by adapters. README.md in this folder shows how.

mod model;

use examples::text::Text;
use model::AdaptedGpt;
use std::process::ExitCode;

fn main() -> ExitCode {
    AdaptedGpt::main::<Text>()
}
