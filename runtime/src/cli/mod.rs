//! The generated program: `fit | validate | test | predict`, plus `runs`, `report`, `watch`, `hooks`, `doctor` and `completions`.
//!
//! See [`Program`] for its commands and an example.

mod built;
mod callback_list;
mod callbacks;
mod completions;
mod configuration;
mod doctor;
mod environment;
mod exit;
mod flags;
mod hooks;
mod hyperparameters;
mod lightning_config;
mod names;
mod optimization;
mod part;
mod program;
mod reports;
mod seed;
mod subcommands;
mod verb;

pub use built::Built;
pub use program::Program;

use crate::module::{FromHparams, FromHparamsAndData, LightningModule, Loads};
use std::process::ExitCode;

/// The data module of a program for the module `M`. The generated `Module::main::<Data>()` and `Module::program::<Data>()` call this
/// trait's functions.
// The trait has no bounds on the data module, so that the compiler reports an unmet bound for the data module, not for this trait.
pub trait ProgramData<M: LightningModule>: Sized {
    /// Returns the program of the module and this data module.
    fn program() -> Program<M, Self> {
        Program::new()
    }

    /// Runs the program, as [`Program::run`] does.
    fn main() -> ExitCode
    where
        Self: Loads<M::Batch> + FromHparams;
}

impl<M: LightningModule + FromHparamsAndData<D>, D> ProgramData<M> for D {
    fn main() -> ExitCode
    where
        D: Loads<M::Batch> + FromHparams,
    {
        Program::<M, D>::new().run()
    }
}
