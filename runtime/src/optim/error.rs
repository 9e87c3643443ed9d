use std::fmt::Display;

use crate::mismatch::{Mismatch, first_of};
use crate::native::readable;

/// An error of an optimizer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerError {
    /// A hyperparameter is outside its range.
    #[error("{optimizer}: {name} must be {expected}, but it is {value}")]
    Hyperparameter {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The name of the hyperparameter's setter.
        name: &'static str,
        /// The invalid value.
        value: f64,
        /// A description of the valid values.
        expected: &'static str,
    },

    /// Nesterov momentum is set without momentum, or with dampening.
    #[error(
        "{optimizer}: nesterov requires a momentum above 0 and a dampening of 0, but momentum is {momentum} and dampening \
         is {dampening}"
    )]
    Nesterov {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The momentum.
        momentum: f64,
        /// The dampening.
        dampening: f64,
    },

    /// The list of parameters is empty.
    #[error(
        "{optimizer} must have at least one parameter, but it has none: create layers on paths of the `VarStore` of `parameters`, and do not freeze all of them"
    )]
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
        /// The reason, and how to fix it.
        reason: String,
    },

    /// A pattern of parameter names is malformed.
    #[error("{optimizer}: `{pattern}` is not a valid pattern of parameter names: {reason}")]
    Pattern {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The pattern.
        pattern: String,
        /// The reason.
        reason: String,
    },

    /// The pattern of a group matches no parameter name.
    #[error("{optimizer}: no parameter name matches `{pattern}`; the parameters are {}", first_of(.parameters))]
    UnmatchedPattern {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The pattern.
        pattern: String,
        /// The names of all parameters.
        parameters: Vec<String>,
    },

    /// All parameters that the pattern of a group matches belong to earlier groups.
    #[error(
        "{optimizer}: every parameter that `{pattern}` matches belongs to an earlier group; put narrower patterns before \
         wider ones"
    )]
    ShadowedPattern {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The pattern.
        pattern: String,
    },

    /// The predicate of a group chooses no parameter.
    #[error("{optimizer}: `{description}` chooses no parameter that earlier groups have left")]
    NothingSelected {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The description of the predicate.
        description: String,
    },

    /// The groups have different algorithms.
    #[error(
        "cannot mix {other} and {optimizer} in one optimizer; all groups must have the same algorithm, unless \
         `ParameterGroups::route` gives them another"
    )]
    OtherAlgorithm {
        /// The optimizer's algorithm.
        optimizer: &'static str,
        /// The group's algorithm.
        other: &'static str,
    },

    /// L-BFGS has more than one group.
    #[error("{optimizer} must have exactly one group, as it steps over all parameters together")]
    OneGroup {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// The momentum was set of an algorithm without one.
    #[error("{optimizer} has no momentum")]
    NoMomentum {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// L-BFGS was stepped without a loss, or with gradient scaling.
    #[error(
        "{optimizer} evaluates the loss several times per step; call `step_on` with the loss until it returns \
         `Progress::Done`, and do not scale gradients"
    )]
    NeedsLoss {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// The loss is not a single number.
    #[error("the loss of {optimizer} must be a single number, but its shape is {shape:?}; take its mean or sum")]
    LossShape {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The shape of the loss.
        shape: Vec<i64>,
    },

    /// The state was requested between the evaluations of one step.
    #[error(
        "cannot save the state of {optimizer} within a step; save it after `step_on` has returned `Progress::Done`"
    )]
    WithinStep {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// A gradient to be unscaled is in float16.
    #[error(
        "{optimizer} cannot unscale the gradient of `{parameter}`, which is float16; keep parameters in float32, and let \
         autocast compute in float16"
    )]
    HalfGradient {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The parameter's name.
        parameter: String,
    },

    /// A step was taken on the gradients of a scaled loss.
    #[error(
        "{optimizer} cannot step on gradients that are still scaled; call `ctx.manual_step` in manual optimization, and in \
         `optimizer_step` run the closure before the step"
    )]
    ScaledGradients {
        /// The algorithm's name.
        optimizer: &'static str,
    },

    /// A saved state does not fit the parameters or the algorithm. No part of it was loaded.
    #[error("the saved state does not fit {optimizer}: {mismatch}")]
    State {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The names and shapes that do not fit.
        mismatch: Mismatch,
    },

    /// An operation of libtorch failed.
    #[error("{optimizer} cannot {action}: {message}")]
    Libtorch {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The action that failed, such as `step`.
        action: &'static str,
        /// The message of libtorch, without its backtrace.
        message: String,
    },
}

impl OptimizerError {
    pub(super) fn libtorch(optimizer: &'static str, action: &'static str, error: impl Display) -> Self {
        Self::Libtorch { optimizer, action, message: readable(&error.to_string()).into_owned() }
    }
}
