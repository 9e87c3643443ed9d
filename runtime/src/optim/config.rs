use super::algorithm::each_algorithm;
use super::{Adadelta, Adagrad, Adam, AdamW, Adamax, Algorithm, Lbfgs, NAdam, RAdam, RmsProp, Sgd};
use crate::choice::Choice;
use serde::{Deserialize, Serialize};

macro_rules! configs {
    ($($(#[$about:meta])* $name:ident,)*) => {
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
        #[derive(Debug, Clone, PartialEq, Choice, Serialize, Deserialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        #[non_exhaustive]
        pub enum OptimizerConfig {
            $($(#[$about])* $name($name),)*
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
