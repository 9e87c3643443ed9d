//! A generated program whose hyperparameters are arguments of every kind, or of a kind that the environment names.

use clap::{ArgMatches, Args, FromArgMatches, Subcommand, ValueEnum};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::LazyLock;
use tch_lightning::prelude::*;

#[derive(Args, Serialize, Deserialize)]
struct EveryKind {
    /// Whether the layer has a bias
    #[arg(long)]
    bias: bool,
    #[arg(long, action = clap::ArgAction::SetFalse)]
    no_norm: bool,
    #[arg(short = 'v', long, action = clap::ArgAction::Count)]
    depth: u8,
    #[arg(long)]
    widths: Vec<i64>,
    #[arg(long, num_args = 2, default_values_t = [0.9, 0.999])]
    betas: Vec<f64>,
    #[arg(long, value_enum, default_value_t = Activation::Relu)]
    kind: Activation,
    #[arg(long)]
    rate: Option<f64>,
    /// `--seeded` and `--seeded=7` are two things
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    seeded: Option<i64>,
    #[arg(short, long, visible_alias = "offset", default_value_t = -1.5, conflicts_with = "rate_limit")]
    shift: f64,
    #[arg(long, hide = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<f64>,
    #[arg(long, value_delimiter = ',')]
    tags: Vec<String>,
    #[command(flatten)]
    nested: Nested,
    files: Vec<String>,
}

#[derive(Args, Serialize, Deserialize)]
struct Nested {
    #[arg(long, global = true)]
    fast: bool,
    #[arg(long, default_value_t = 3)]
    level: i32,
}

#[derive(Clone, Copy, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Activation {
    Relu,
    Tanh,
}

/// Hyperparameters of one field.
macro_rules! refused {
    ($($kind:ident { $(#[$attribute:meta])* $field:ident: $type:ty $(, $(#[$other:meta])* $second:ident: $second_type:ty)? })+) => {$(
        #[derive(Args, Serialize, Deserialize)]
        struct $kind {
            $(#[$attribute])*
            $field: $type,
            $($(#[$other])* $second: $second_type,)?
        }
    )+};
}

refused! {
    OwnId { #[arg(long = "setting")] config: Option<String> }
    OwnLong { #[arg(long = "config")] setting: Option<String> }
    OwnAlias { #[arg(long, alias = "seed-everything")] seed: Option<i64> }
    Help { #[arg(long)] help: bool }
    ShortHelp { #[arg(short = 'h', long)] height: Option<i64> }
    TrainerLong { #[arg(long = "max-epochs")] epochs: Option<i64> }
    SameShort { #[arg(short = 'x', long)] one: bool, #[arg(short = 'x', long)] other: bool }
    Subcommands { #[command(subcommand)] what: What }
    GlobalAndRequired { #[arg(long, global = true, required = true)] rate: f64 }
    TwoLists { one: Vec<i64>, other: Vec<i64> }
    UnknownConflict { #[arg(long, conflicts_with = "nothing")] rate: Option<f64> }
}

/// Hyperparameters that must be given, in one way or another.
macro_rules! required {
    ($($(#[$group:meta])* $kind:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),+ })+) => {$(
        #[derive(Args, Serialize, Deserialize)]
        $(#[$group])*
        struct $kind {
            $($(#[$attribute])* $field: $type,)+
        }
    )+};
}

required! {
    Inner { #[arg(long)] rate: f64, #[arg(long, default_value_t = 3)] level: i32 }
    InStruct { #[command(flatten)] inner: Inner }
    InOptionalStruct { #[command(flatten)] inner: Option<Inner> }
    WithShortAlone { #[arg(short = 'w')] width: i64 }
    Positional { width: i64 }
    #[group(required = true, multiple = false)]
    OneOfGroup { #[arg(long)] one: Option<f64>, #[arg(long)] two: Option<f64> }
    UnlessOther { #[arg(long, required_unless_present = "other")] one: Option<f64>, #[arg(long)] other: Option<f64> }
    IfMode {
        #[arg(long, default_value = "a")] mode: String,
        #[arg(long, required_if_eq("mode", "b"))] other: Option<f64>
    }
    OfOtherName { #[arg(long)] #[serde(rename = "learningRate")] lr: f64, #[arg(long, default_value_t = 1)] steps: i32 }
    OfOtherValues { #[arg(long, value_enum)] kind: Named, #[arg(long)] timeout: Seconds }
    Skipping { #[arg(skip)] cache: u8, #[arg(long)] lr: f64, #[arg(long, default_value = "1")] shards: NonZeroU8 }
    Texts { #[arg(long)] texts: Vec<String>, #[arg(long)] folder: PathBuf }
    WithList { #[arg(long, required = true, num_args = 1..)] hidden: Vec<i64>, #[arg(long, default_value_t = 0.1)] lr: f64 }
    Whole { #[arg(long)] width: i64, #[arg(long, default_value_t = 0)] large: i128 }
    Older { #[arg(long, default_value_t = 0.5)] rate: f64 }
    Newer { #[arg(long, default_value_t = 0.5)] rate: f64, #[arg(long, default_value_t = 7)] added: i32 }
    InOlder { #[command(flatten)] inner: Older }
    InNewer { #[command(flatten)] inner: Newer }
    Shared {
        #[arg(short, long, default_value_t = 8)] batch_size: i64,
        #[arg(long, default_value_t = 0.5)] lr: f64,
        #[arg(long, default_value_t = 3)] max_epochs: i64
    }
    OfData { #[arg(short, long, default_value_t = 2)] batch_size: i64, #[arg(long, default_value_t = 1)] num_workers: i64 }
}

/// Serde has other names for its variants than the flag.
#[derive(Clone, Copy, Serialize, Deserialize, ValueEnum)]
enum Named {
    Relu,
    LeakyRelu,
}

/// A number of seconds, `5s` as a flag.
#[derive(Clone, Serialize, Deserialize)]
struct Seconds {
    seconds: u64,
}

impl FromStr for Seconds {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Self { seconds: text.trim_end_matches('s').parse()? })
    }
}

#[derive(Subcommand, Serialize, Deserialize)]
enum What {
    One,
}

/// The kinds in one type, so that the program is compiled once.
macro_rules! kinds {
    ($($name:literal $kind:ident)+) => {
        enum Hparams {
            $($kind($kind),)+
        }

        impl Args for Hparams {
            fn augment_args(command: clap::Command) -> clap::Command {
                match kind() {
                    $($name => $kind::augment_args(command),)+
                    unknown => panic!("no hyperparameters `{unknown}`"),
                }
            }

            fn augment_args_for_update(command: clap::Command) -> clap::Command {
                match kind() {
                    $($name => $kind::augment_args_for_update(command),)+
                    unknown => panic!("no hyperparameters `{unknown}`"),
                }
            }
        }

        impl FromArgMatches for Hparams {
            fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
                match kind() {
                    $($name => $kind::from_arg_matches(matches).map(Self::$kind),)+
                    unknown => panic!("no hyperparameters `{unknown}`"),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
                match self {
                    $(Self::$kind(hparams) => hparams.update_from_arg_matches(matches),)+
                }
            }
        }

        impl Serialize for Hparams {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$kind(hparams) => hparams.serialize(serializer),)+
                }
            }
        }

        impl<'de> Deserialize<'de> for Hparams {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                match kind() {
                    $($name => $kind::deserialize(deserializer).map(Self::$kind),)+
                    unknown => panic!("no hyperparameters `{unknown}`"),
                }
            }
        }
    };
}

kinds! {
    "" EveryKind
    "own-id" OwnId
    "own-long" OwnLong
    "own-alias" OwnAlias
    "help" Help
    "short-help" ShortHelp
    "trainer-long" TrainerLong
    "same-short" SameShort
    "subcommand" Subcommands
    "global-and-required" GlobalAndRequired
    "two-lists" TwoLists
    "unknown-conflict" UnknownConflict
    "in-struct" InStruct
    "in-optional-struct" InOptionalStruct
    "with-short-alone" WithShortAlone
    "positional" Positional
    "one-of-group" OneOfGroup
    "unless-other" UnlessOther
    "if-mode" IfMode
    "of-other-name" OfOtherName
    "of-other-values" OfOtherValues
    "skipping" Skipping
    "with-list" WithList
    "texts" Texts
    "whole" Whole
    "in-older" InOlder
    "in-newer" InNewer
    "shared" Shared
}

/// The hyperparameters that the test asks for.
fn kind() -> &'static str {
    static KIND: LazyLock<String> = LazyLock::new(|| std::env::var("FLAGS").unwrap_or_default());
    &KIND
}

struct Model {
    vs: nn::VarStore,
    layer: nn::Linear,
    hparams: Hparams,
}

#[lightning_module]
impl Model {
    fn new(hparams: Hparams) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root(), 1, 1, nn::LinearConfig::default());
        Self { vs, layer, hparams }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    /// Prints the hyperparameters that it was made with.
    fn setup(&self) -> Result<()> {
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), "{}", serde_json::to_string(&self.hparams)?);
        Ok(())
    }

    fn training_step(&self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch).square().mean(None)
    }

    fn validation_step(&self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("val_loss", self.training_step(batch));
    }

    fn test_step(&self, ctx: &mut Context, batch: &Tensor) {
        ctx.log("test_loss", self.training_step(batch));
    }

    fn predict_step(&self, batch: &Tensor) -> Tensor {
        self.layer.forward(batch)
    }

    fn configure_optimizers(&self) -> Sgd {
        Sgd::new(0.01)
    }

    fn trainer_defaults() -> TrainerConfig {
        TrainerConfig {
            enable_progress_bar: false,
            enable_model_summary: false,
            max_epochs: Some(1),
            ..TrainerConfig::default()
        }
    }
}

struct Rows;

#[lightning_datamodule]
impl Rows {
    fn new() -> Self {
        Self
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        let rows = Tensor::ones([4, 1], (Kind::Float, Device::Cpu));
        Ok(DataLoader::new(TensorDataset::new(rows)?).batch_size(2))
    }

    fn val_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }

    fn test_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }

    fn predict_dataloader(&self) -> Result<DataLoader<Tensor>> {
        self.train_dataloader()
    }
}

/// Data with hyperparameters of its own.
struct SharedRows(OfData);

#[lightning_datamodule]
impl SharedRows {
    fn new(hparams: OfData) -> Self {
        Self(hparams)
    }

    fn train_dataloader(&self) -> Result<DataLoader<Tensor>> {
        Ok(Rows.train_dataloader()?.batch_size(usize::try_from(self.0.batch_size)?))
    }
}

fn main() -> ExitCode {
    tch_lightning::__testing::skip_static_destructors();
    if kind() == "shared" { Model::main::<SharedRows>() } else { Model::main::<Rows>() }
}
