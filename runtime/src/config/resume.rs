use serde::{Deserialize, Serialize};

/// The part of a checkpoint that a `fit` takes. Lightning's `fit` takes all of it; there, a new run with the weights of another one loads them
/// by hand.
///
/// A new run has its own settings, learning rates, schedules, random numbers, loggers and callbacks, and counts its epochs and steps from 0.
/// It begins from a checkpoint of any precision, and [`Weights`](Self::Weights) also from one without optimizers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Resume {
    /// Everything: the run continues where the checkpoint was written
    #[default]
    All,
    /// The weights and the states of the optimizers, such as their momenta, for a new run
    Optimizer,
    /// The weights alone, for a new run
    Weights,
}
