//! The generated program: `fit | validate | test | predict`, plus `hooks` and `doctor`.
//!
//! [`Program`] describes it, and shows what it takes.

mod configuration;
mod doctor;
mod flags;
mod hooks;
mod hyperparameters;
mod lightning_config;
mod names;
mod part;
mod program;
mod verb;

pub use program::Program;

use crate::module::{FromHparams, FromHparamsAndData, LightningModule, Loads};
use std::process::ExitCode;

/// The data module of a program for the module `M`: what the generated `Module::main::<Data>()` and `Module::program::<Data>()`
/// call.
// It asks nothing of the data itself. So what a data module lacks is said of the data module, and not of this trait.
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
