//! A generated program whose parts take known times, for the tests of profilers.

use std::process::ExitCode;
use tests::profiler::model::{Line, Rows};

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    Line::main::<Rows>()
}
