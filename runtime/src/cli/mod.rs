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
mod export;
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
mod types;
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

/// A module with a loader for each of its steps, whose program needs no data module: `Module::main()`. `Data` is then
/// [`NoDataModule`](crate::module::NoDataModule).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has loaders of its own: `{Self}::main()` runs its program without a data module [TL0604]",
    label = "write `{Self}::main()`",
    note = "`{Self}::main()` requires `fn new() -> Self` or `fn new(hparams: Hparams) -> Self` in the annotated block",
    note = "for a data module in place of the module's loaders, write `{Self}::program::<Data>().run()`"
)]
pub trait RunsByItself<Data> {
    /// Runs the program, as [`Program::run`] does.
    fn main() -> ExitCode;
}

impl<M: LightningModule + FromHparamsAndData<D>, D> ProgramData<M> for D {
    fn main() -> ExitCode
    where
        D: Loads<M::Batch> + FromHparams,
    {
        Program::<M, D>::new().run()
    }
}
