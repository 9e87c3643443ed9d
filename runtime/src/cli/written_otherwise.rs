//! What is written on a trainer and otherwise on a program, so that the compiler's error says how.

use super::Program;
use crate::module::LightningModule;
use crate::trainer::written_otherwise::AnyTrainer;

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the trainer of a program has the settings of `trainer_defaults` and of the command line [TL0006]",
    label = "write `fn trainer_defaults() -> TrainerConfig` in the block of the module"
)]
pub trait HasTrainer {}

impl<M: LightningModule, D> Program<M, D> {
    #[doc(hidden)]
    pub fn trainer(self, _: impl Sized) -> Self
    where
        for<'any> AnyTrainer: HasTrainer,
    {
        self
    }

    #[doc(hidden)]
    pub fn config(self, _: impl Sized) -> Self
    where
        for<'any> AnyTrainer: HasTrainer,
    {
        self
    }
}
