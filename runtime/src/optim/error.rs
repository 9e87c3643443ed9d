use std::fmt::Display;

use crate::mismatch::{Mismatch, first_of};
use crate::native::readable;

/// What can be wrong with an optimizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerError {
    /// A hyperparameter is outside its range.
    #[error("{optimizer}: {name} is {value}, but it must be {expected}")]
    Hyperparameter {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The hyperparameter, as its setter is called.
        name: &'static str,
        /// The value that was given.
        value: f64,
        /// The values that it may have.
        expected: &'static str,
    },

    /// Nesterov's momentum was asked for without momentum, or with dampening.
    #[error(
        "{optimizer}: nesterov needs a momentum above 0 and a dampening of 0, but momentum is {momentum} and dampening is \
         {dampening}"
    )]
    Nesterov {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The momentum that was given.
        momentum: f64,
        /// The dampening that was given.
        dampening: f64,
    },

    /// There is nothing to optimize.
    #[error("{optimizer} got no parameters: give it at least one tensor that requires a gradient")]
    NoParameters {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// A tensor cannot be optimized.
    #[error("{optimizer} cannot optimize `{parameter}`: {reason}")]
    Parameter {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The parameter's name.
        parameter: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },

    /// A pattern of parameters' names is malformed.
    #[error("{optimizer}: `{pattern}` is no pattern of parameters' names: {reason}")]
    Pattern {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The pattern that was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A group would be empty, since its pattern matches no name.
    #[error("{optimizer}: no parameter's name matches `{pattern}`; the parameters are {}", first_of(.parameters))]
    UnmatchedPattern {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The pattern that was given.
        pattern: String,
        /// All names that there are.
        parameters: Vec<String>,
    },

    /// A group would be empty, since groups before it take all that its pattern matches.
    #[error(
        "{optimizer}: every parameter that `{pattern}` matches belongs to a group before it: put narrower patterns before \
         wider ones"
    )]
    ShadowedPattern {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The pattern that was given.
        pattern: String,
    },

    /// A group is of another algorithm than those before it.
    #[error("cannot mix {other} and {optimizer} in one optimizer: all groups of an optimizer have one algorithm")]
    OtherAlgorithm {
        /// The optimizer's algorithm.
        optimizer: &'static str,
        /// The group's algorithm.
        other: &'static str,
    },

    /// L-BFGS got more than one group.
    #[error("{optimizer} steps over all its parameters together: give it one group")]
    OneGroup {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// The algorithm has no momentum that could be set.
    #[error("{optimizer} has no momentum")]
    NoMomentum {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// L-BFGS was asked for a step without the loss, or for one that may be skipped.
    #[error(
        "{optimizer} evaluates the loss several times a step: call `step_on` with the loss until it is done, and without \
         gradient scaling"
    )]
    NeedsLoss {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// The loss is not one number.
    #[error("{optimizer} needs the loss as one number, but its shape is {shape:?}: take its mean or sum")]
    LossShape {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The loss's shape.
        shape: Vec<i64>,
    },

    /// The state was asked for between the evaluations of one step.
    #[error("{optimizer} is within a step: its state can be saved when `step_on` has answered that it is done")]
    WithinStep {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// A gradient in float16 was to be unscaled.
    #[error(
        "{optimizer} cannot unscale the gradient of `{parameter}`, which is float16: keep parameters in float32, and let \
         autocast compute in float16"
    )]
    HalfGradient {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The parameter's name.
        parameter: String,
    },

    /// A step was to be taken on the gradients of a scaled loss.
    #[error(
        "{optimizer} cannot step on gradients that are still scaled: call `ctx.manual_step` in manual optimization, and in \
         `optimizer_step` run the closure before the step"
    )]
    ScaledGradients {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// A saved state does not fit the parameters or the algorithm; nothing of it was loaded.
    #[error("the saved state does not fit {optimizer}: {mismatch}")]
    State {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The names and shapes that do not fit.
        mismatch: Mismatch,
    },

    /// libtorch refused.
    #[error("{optimizer} cannot {action}: {message}")]
    Libtorch {
        /// The algorithm's name.
        optimizer: &'static str,
        /// What was to be done, such as `step`.
        action: &'static str,
        /// What libtorch said, without its backtrace.
        message: String,
    },
}

impl OptimizerError {
    pub(super) fn libtorch(optimizer: &'static str, action: &'static str, error: impl Display) -> Self {
        Self::Libtorch { optimizer, action, message: readable(&error.to_string()).into_owned() }
    }
}
