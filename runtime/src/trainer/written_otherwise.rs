//! What is written on a trainer in Python and otherwise here, so that the compiler's error says how.
//!
//! The traits of [`python_names`](crate::python_names) do not tell it of a `Trainer<_>`, whose module is not known yet. A bound that does not
//! hold does.

use super::{Trainer, TrainerConfig};
use crate::error::Error;
use crate::module::LightningModule;

/// The trainer, whatever its module.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnyTrainer {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the settings of a trainer are those of its `TrainerConfig` [TL0006]",
    label = "write it in `Trainer::new(TrainerConfig::default().max_epochs(3))`, in place of `max_epochs`"
)]
pub trait HasSettings {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`train` is written otherwise than in Lightning's Python [TL0006]",
    label = "write `trainer.fit(&mut model, &mut data)?`"
)]
pub trait TrainsByThatName {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "callbacks are those of the trainer, not of its `TrainerConfig` [TL0006]",
    label = "write it after `Trainer::new(config)`, as in `Trainer::new(config).callbacks((ModelCheckpoint::new(), EarlyStopping::new(\"val_loss\")))`"
)]
pub trait HasCallbacks {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the checkpoint to start from is given to the trainer, not to its `TrainerConfig` [TL0006]",
    label = "write `Trainer::new(config).ckpt_path(\"last\").fit(&mut model, &mut data)?`"
)]
pub trait HasCkptPath {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`resume_from_checkpoint` is written otherwise than in Lightning's Python [TL0006]",
    label = "write `.ckpt_path(\"last\")`, or the path of a checkpoint in place of `last`"
)]
pub trait ResumesByThatName {}

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a configuration is made by `default` [TL0006]",
    label = "write `TrainerConfig::default().max_epochs(3)`"
)]
pub trait IsMadeByNew {}

impl TrainerConfig {
    #[doc(hidden)]
    #[must_use]
    pub fn new() -> Self
    where
        for<'any> AnyTrainer: IsMadeByNew,
    {
        Self::default()
    }

    #[doc(hidden)]
    #[must_use]
    pub fn ckpt_path(self, _: impl Sized) -> Self
    where
        for<'any> AnyTrainer: HasCkptPath,
    {
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn resume_from_checkpoint(self, _: impl Sized) -> Self
    where
        for<'any> AnyTrainer: HasCkptPath,
    {
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn callbacks(self, _: impl Sized) -> Self
    where
        for<'any> AnyTrainer: HasCallbacks,
    {
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn callback(self, _: impl Sized) -> Self
    where
        for<'any> AnyTrainer: HasCallbacks,
    {
        self
    }
}

macro_rules! settings {
    ($($name:ident)*) => {
        impl<M: LightningModule> Trainer<M> {
            $(
                #[doc(hidden)]
                #[must_use]
                pub fn $name(self, _: impl Sized) -> Self
                where
                    for<'any> AnyTrainer: HasSettings,
                {
                    self
                }
            )*

            #[doc(hidden)]
            #[must_use]
            pub fn resume_from_checkpoint(self, _: impl Sized) -> Self
            where
                for<'any> AnyTrainer: ResumesByThatName,
            {
                self
            }

            #[doc(hidden)]
            pub fn train(&mut self, _: impl Sized, _: impl Sized) -> Result<(), Error>
            where
                for<'any> AnyTrainer: TrainsByThatName,
            {
                Ok(())
            }
        }
    };
}

settings! {
    accelerator accumulate_grad_batches default_root_dir devices fast_dev_run gradient_clip_val limit_train_batches limit_val_batches
    log_every_n_steps max_epochs max_steps max_time min_epochs precision strategy val_check_interval
}
