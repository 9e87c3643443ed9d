//! How the generated program makes a module: from hyperparameters that are flags on the command line and fields in a
//! checkpoint.

use crate::config::TrainerConfig;
use clap::Args;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A struct of hyperparameters: each field is a flag, and a checkpoint keeps it.
///
/// ```
/// use clap::Args;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Args, Clone, Serialize, Deserialize)]
/// struct Hparams {
///     /// The learning rate
///     #[arg(long, default_value_t = 1e-3)]
///     lr: f64,
/// }
/// # fn is_hparams<H: tch_lightning::Hyperparameters>() {}
/// # is_hparams::<Hparams>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be hyperparameters",
    label = "give it `#[derive(clap::Args, Clone, serde::Serialize, serde::Deserialize)]`"
)]
pub trait Hyperparameters: Args + Clone + Serialize + DeserializeOwned + 'static {}

impl<H: Args + Clone + Serialize + DeserializeOwned + 'static> Hyperparameters for H {}

/// No hyperparameters: for a constructor `fn new() -> Self`.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoHparams {}

/// A type that the generated program can make. The macros implement it where the block has a constructor
/// `fn new(hparams: Hparams) -> Self`, or `fn new() -> Self`.
#[diagnostic::on_unimplemented(
    message = "the program can't make a `{Self}`",
    label = "write `fn new(hparams: Hparams) -> Self` in the annotated block, or `fn new() -> Self`"
)]
pub trait FromHparams: Sized {
    /// The hyperparameters.
    type Hparams: Hyperparameters;

    /// Makes the value.
    ///
    /// # Errors
    /// The constructor's own.
    fn from_hparams(hparams: Self::Hparams) -> anyhow::Result<Self>;

    /// The trainer's configuration where no flag says otherwise: `fn trainer_defaults() -> TrainerConfig` in the block.
    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig::default()
    }
}
