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
/// # fn is_hparams<H: tch_lightning::module::Hyperparameters>() {}
/// # is_hparams::<Hparams>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as hyperparameters [TL0603]",
    label = "add `#[derive(clap::Args, serde::Serialize, serde::Deserialize)]`"
)]
// The bounds of clap and serde are methods instead of supertraits, so that a type without them is one error, not four.
pub trait Hyperparameters: Sized + 'static {
    /// Adds a flag for each field.
    fn augment_args(command: Command) -> Command;

    /// Reads the fields from the flags.
    ///
    /// # Errors
    /// The error of clap for a missing or invalid flag.
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error>;

    /// Updates the fields whose flags are on the command line.
    ///
    /// # Errors
    /// The error of clap for an invalid flag.
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error>;

    /// The fields as a checkpoint keeps them.
    ///
    /// # Errors
    /// If a field cannot be written as JSON.
    fn to_json(&self) -> serde_json::Result<Value>;

    /// The fields that a checkpoint has kept.
    ///
    /// # Errors
    /// If they are those of another struct.
    fn from_json(json: Value) -> serde_json::Result<Self>;

    /// Deserializes the fields, with placeholders for missing ones.
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

/// A type with hyperparameters from which the generated program constructs it. The macros implement it for a block with a
/// constructor: see [`FromHparams`] and [`FromHparamsAndData`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be constructed from hyperparameters [TL0601]",
    label = "define `fn new() -> Self` or `fn new(hparams: Hparams) -> Self` in the annotated block"
)]
pub trait HasHparams: Sized {
    /// The hyperparameters.
    type Hparams: Hyperparameters;

    /// The trainer's configuration without flags and files: `fn trainer_defaults() -> TrainerConfig` in the block.
    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig::default()
    }
}

/// A type that the generated program can construct from hyperparameters. The macros implement it for a block with a
/// constructor `fn new(hparams: Hparams) -> Self` or `fn new() -> Self`. The parameter may have any name.
#[diagnostic::on_unimplemented(
    message = "the program cannot construct `{Self}` [TL0601]",
    label = "define `fn new() -> Self` or `fn new(hparams: Hparams) -> Self` in the annotated block",
    note = "a module whose `new` takes the data module is loaded together with it: \
            `let (model, data) = Model::load_from_checkpoint_with_data::<Data>(path)?`"
)]
pub trait FromHparams: HasHparams {
    /// Returns the value with these hyperparameters.
    ///
    /// # Errors
    /// Those of the constructor.
    fn from_hparams(hparams: Self::Hparams) -> anyhow::Result<Self>;
}

/// A module that the generated program can construct for the data module `Data`: `Model::main::<Data>()`.
///
/// `#[lightning_module]` implements it for a block with one of these constructors. The parameters may have any name and order.
/// - `fn new() -> Self` and `fn new(hparams: Hparams) -> Self`: with every data module.
/// - `fn new(hparams: Hparams, data: &Digits) -> Self`, or `fn new(data: &Digits) -> Self`, with a parameter named `data`: with the data
///   module `Digits`.
/// - `fn new<D: Vocabulary>(hparams: Hparams, data: &D) -> Self`, or `data: &impl Vocabulary`: with every data module that
///   implements `Vocabulary`.
///
/// The program constructs the data module first. `prepare_data` and `setup` have not been called yet; they are called at the start
/// of the run. A size that the module reads must therefore be set in the data module's `new`. If a size is only known after
/// `setup`, create the layers in the hook `configure_model`.
///
/// Lightning's CLI has [`link_arguments`](https://lightning.ai/docs/pytorch/stable/cli/lightning_cli_expert.html#argument-linking)
/// for it, with `apply_on="instantiate"`.
///
/// ```
/// use tch_lightning::prelude::*;
/// # #[derive(clap::Args, serde::Serialize, serde::Deserialize)]
/// # struct Hparams { #[arg(long, default_value_t = 32)] width: i64 }
///
/// struct Text { vocabulary: Vec<char> }
///
/// #[lightning_datamodule]
/// impl Text {
///     fn new() -> Self {
///         let mut vocabulary: Vec<char> = "to be or not to be".chars().collect();
///         vocabulary.sort_unstable();
///         vocabulary.dedup();
///         Self { vocabulary }
///     }
///     // …
/// #   fn train_dataloader(&mut self) -> Result<DataLoader<Tensor>> { bail!("no data") }
/// }
///
/// struct Model { vs: nn::VarStore, embedding: nn::Embedding }
///
/// #[lightning_module]
/// impl Model {
///     fn new(hparams: Hparams, data: &Text) -> Self {
///         let vs = nn::VarStore::new(Device::Cpu);
///         let embedding = nn::embedding(vs.root(), data.vocabulary.len() as i64, hparams.width, Default::default());
///         Self { vs, embedding }
///     }
///     // …
/// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// #   fn training_step(&mut self, batch: &Tensor) -> Tensor { self.embedding.forward(batch).mean(None) }
/// }
///
/// fn main() -> ExitCode {
/// #   if true { return ExitCode::SUCCESS; }
///     Model::main::<Text>()
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the program cannot construct `{Self}` for the data module `{Data}` [TL0601]",
    label = "`{Self}` has no constructor for `{Data}`",
    note = "define one of these in the annotated block: `fn new() -> Self`, `fn new(hparams: Hparams) -> Self`, or `fn new(hparams: Hparams, data: &{Data}) -> Self`, in any order"
)]
pub trait FromHparamsAndData<Data>: HasHparams {
    /// Returns the module with these hyperparameters, for this data module.
    ///
    /// # Errors
    /// Those of the constructor.
    fn from_hparams_and_data(hparams: Self::Hparams, data: &Data) -> anyhow::Result<Self>;
}
