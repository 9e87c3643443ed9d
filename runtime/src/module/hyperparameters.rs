//! How the generated program makes a module: from hyperparameters that are flags on the command line and fields in a
//! checkpoint.

use crate::config::TrainerConfig;
use crate::json::{self, Filler, Shape};
use clap::{ArgMatches, Args, Command};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A struct of hyperparameters: each field is a flag, and a checkpoint keeps it.
///
/// ```
/// use clap::Args;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Args, Serialize, Deserialize)]
/// struct Hparams {
///     /// The learning rate
///     #[arg(long, default_value_t = 1e-3)]
///     lr: f64,
/// }
/// # fn is_hparams<H: tch_lightning::Hyperparameters>() {}
/// # is_hparams::<Hparams>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be hyperparameters [TL0603]",
    label = "give it `#[derive(clap::Args, serde::Serialize, serde::Deserialize)]`"
)]
// What it needs of clap and serde are methods and no supertraits: so a type that has none of it is one mistake, not four.
pub trait Hyperparameters: Sized + 'static {
    /// Adds a flag for each field.
    fn augment_args(command: Command) -> Command;

    /// Reads the fields from the flags.
    ///
    /// # Errors
    /// What clap says of a flag that is missing or wrong.
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error>;

    /// Changes the fields whose flags were given.
    ///
    /// # Errors
    /// What clap says of a flag that is wrong.
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error>;

    /// The fields as a checkpoint keeps them.
    ///
    /// # Errors
    /// If a field can't be written as JSON.
    fn to_json(&self) -> serde_json::Result<Value>;

    /// The fields that a checkpoint has kept.
    ///
    /// # Errors
    /// If they are those of another struct.
    fn from_json(json: Value) -> serde_json::Result<Self>;

    /// The fields that there are, and others made up.
    #[doc(hidden)]
    fn fill(json: &Value, filler: Filler<'_>, shape: &Shape) -> serde_json::Result<Self>;

    /// The structs among the fields.
    #[doc(hidden)]
    fn shape(json: &Value, texts: &BTreeMap<String, String>) -> Shape;
}

#[diagnostic::do_not_recommend]
impl<H: Args + Serialize + DeserializeOwned + 'static> Hyperparameters for H {
    fn augment_args(command: Command) -> Command {
        <H as Args>::augment_args(command)
    }

    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        clap::FromArgMatches::from_arg_matches(matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        clap::FromArgMatches::update_from_arg_matches(self, matches)
    }

    fn to_json(&self) -> serde_json::Result<Value> {
        json::to_value(self)
    }

    fn from_json(json: Value) -> serde_json::Result<Self> {
        json::from_value(&json)
    }

    fn fill(json: &Value, filler: Filler<'_>, shape: &Shape) -> serde_json::Result<Self> {
        filler.fill(json, shape)
    }

    fn shape(json: &Value, texts: &BTreeMap<String, String>) -> Shape {
        Filler::shape_of::<Self>(json, texts)
    }
}

/// No hyperparameters: for a constructor `fn new() -> Self`.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoHparams {}

/// A type that the generated program can make. The macros implement it where the block has a constructor
/// `fn new(hparams: Hparams) -> Self`, or `fn new() -> Self`.
#[diagnostic::on_unimplemented(
    message = "the program can't make a `{Self}` [TL0601]",
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
