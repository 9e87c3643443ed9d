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
mod written_otherwise;

pub use built::Built;
pub use program::Program;

use crate::module::{FromHparams, FromHparamsAndData, LightningModule, Loads, NoDataModule};
use std::process::ExitCode;

/// A module whose program runs with the data module `Data`. The generated `Module::main::<Data>()` and `Module::program::<Data>()` call this
/// trait's functions.
// A trait of the module, so that the compiler reports an unmet bound of the data module itself. For one of the module, which is
// `FromHparamsAndData`, it shows the message of this trait.
#[diagnostic::on_unimplemented(
    message = "the program cannot construct `{Self}` for the data module `{Data}` [TL0601]",
    label = "`{Self}` has no constructor for `{Data}`",
    note = "define one of these in the annotated block: `fn new() -> Self`, `fn new(hparams: Hparams) -> Self`, or `fn new(hparams: Hparams, data: &{Data}) -> Self`, in any order"
)]
pub trait RunsWith<Data>: LightningModule {
    /// The data module.
    type Data;

    /// Returns the program of the module and the data module.
    fn program() -> Program<Self, Self::Data>;

    /// Runs the program, as [`Program::run`] does.
    fn main() -> ExitCode;
}

impl<M: LightningModule, D: Loads<M::Batch>> RunsWith<D> for M
where
    D::Batch: BatchOfProgram<M, D>,
{
    type Data = <D::Batch as BatchOfProgram<M, D>>::Data;

    fn program() -> Program<M, Self::Data> {
        <D::Batch as BatchOfProgram<M, D>>::program_of_batches()
    }

    fn main() -> ExitCode {
        <D::Batch as BatchOfProgram<M, D>>::main_of_batches()
    }
}

/// Without a data module, for a module with loaders of its own.
impl<M: LightningModule + FromHparamsAndData<NoDataModule<M::Batch>>> RunsWith<()> for M {
    type Data = NoDataModule<M::Batch>;

    fn program() -> Program<M, Self::Data> {
        Program::new()
    }

    fn main() -> ExitCode {
        Program::<M, Self::Data>::new().run()
    }
}

/// The batches of a data module for the program of the module `M`, whose bounds on the data module are only examined if it is one, so that a
/// type that is not a data module is one error.
#[doc(hidden)]
pub trait BatchOfProgram<M: LightningModule, D> {
    /// The data module.
    type Data;

    // not the names of the functions that users call, which the compiler would suggest to import
    fn program_of_batches() -> Program<M, Self::Data>;

    fn main_of_batches() -> ExitCode;
}

impl<B, M: LightningModule + FromHparamsAndData<D>, D: FromHparams + Loads<M::Batch>> BatchOfProgram<M, D> for B {
    type Data = D;

    fn program_of_batches() -> Program<M, D> {
        Program::new()
    }

    fn main_of_batches() -> ExitCode {
        Program::<M, D>::new().run()
    }
}

/// A module with a loader for each of its steps, whose program needs no data module: `Module::main()`. `Data` is then
/// [`NoDataModule`].
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
