use super::algorithm::each_algorithm;
use super::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Algorithm, Lbfgs, Lion, Muon, NAdam, OptimizerError, RAdam,
    RmsProp, Sgd,
};
use crate::choice::{self, Choice, Documentation, FieldMistake};
use clap::builder::ValueParserFactory;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! configs {
    ($($(#[doc = $about:literal])* $name:ident,)*) => {
        /// An optimizer that flags and configuration files choose, with its hyperparameters.
        ///
        /// It is a [`Choice`]: a field of the hyperparameters, `optimizer: OptimizerConfig`, is a flag with the name of an optimizer and a
        /// flag for each of its hyperparameters, `--optimizer sgd --optimizer.lr 0.1`, and a table of a configuration file,
        /// `optimizer: {name: sgd, lr: 0.1}`. The names are those of PyTorch in any case, and missing hyperparameters have PyTorch's
        /// defaults. `configure_optimizers` can return it:
        ///
        /// ```
        /// use tch_lightning::optim::OptimizerConfig;
        /// use tch_lightning::prelude::*;
        /// # struct Model { vs: nn::VarStore, hparams: Hparams }
        ///
        /// #[derive(clap::Args, serde::Serialize, serde::Deserialize)]
        /// struct Hparams {
        ///     /// The optimizer
        ///     #[arg(long, default_value_t = AdamW::new(3e-4).into())]
        ///     optimizer: OptimizerConfig,
        /// }
        ///
        /// #[lightning_module]
        /// impl Model {
        ///     fn configure_optimizers(&self) -> OptimizerConfig {
        ///         self.hparams.optimizer.clone()
        ///     }
        ///     // …
        /// #   fn new(hparams: Hparams) -> Self { Self { vs: nn::VarStore::new(Device::Cpu), hparams } }
        /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
        /// }
        /// ```
        ///
        /// Without such a field, the generated program has these flags, which replace `configure_optimizers`: see
        /// [`Program`](crate::cli::Program).
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        #[non_exhaustive]
        pub enum OptimizerConfig {
            $($(#[doc = $about])* $name($name),)*
        }

        // not derived: the ranges are checked as well
        impl Choice for OptimizerConfig {
            fn documentation(&self) -> Documentation {
                match self {
                    $(Self::$name(_) => Documentation { about: concat!($($about),*), fields: &[] },)*
                }
            }

            fn mistake(&self) -> Option<FieldMistake> {
                match Algorithm::from(self.clone()).validate().err()? {
                    OptimizerError::Hyperparameter { name, value, expected, .. } => {
                        Some(FieldMistake::new(name, format!("must be {expected}, but it is {value}")))
                    }
                    error => Some(FieldMistake::new("", error.to_string())),
                }
            }
        }

        $(impl From<$name> for OptimizerConfig {
            fn from(algorithm: $name) -> Self {
                Self::$name(algorithm)
            }
        })*

        impl From<OptimizerConfig> for Algorithm {
            fn from(config: OptimizerConfig) -> Self {
                match config {
                    $(OptimizerConfig::$name(algorithm) => Self::$name(algorithm),)*
                }
            }
        }
    };
}

each_algorithm!(configs);

impl ValueParserFactory for OptimizerConfig {
    type Parser = fn(&str) -> Result<Self, String>;

    fn value_parser() -> Self::Parser {
        choice::parser()
    }
}

impl fmt::Display for OptimizerConfig {
    /// The value of a flag: the name of the optimizer, or a table in JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&choice::shown_value(self))
    }
}
