//! Learns from tables whether loans are repaid, and how probable that is. README.md in this folder shows how.

mod calibration;
mod data;
mod model;

use data::LoanData;
use model::Repayment;
use std::process::ExitCode;

fn main() -> ExitCode {
    Repayment::main::<LoanData>()
}
