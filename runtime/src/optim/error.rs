use super::algorithm::Rule;
use crate::mismatch::Mismatch;
use crate::native::NativeError;

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
    pub(super) fn libtorch(rule: &dyn Rule, action: &'static str, error: NativeError) -> Self {
        Self::Libtorch { optimizer: rule.name(), action, message: error.to_string() }
    }
}

/// Fails unless `value` is a number of 0 or more.
pub(super) fn require_non_negative(
    optimizer: &'static str,
    name: &'static str,
    value: f64,
) -> Result<(), OptimizerError> {
    require(value >= 0.0, optimizer, name, value, "a number of 0 or more")
}

/// Fails unless `value` can be the coefficient of a running average.
pub(super) fn require_beta(optimizer: &'static str, name: &'static str, value: f64) -> Result<(), OptimizerError> {
    let holds = (0.0..1.0).contains(&value);
    require(holds, optimizer, name, value, "at least 0 and below 1")
}

fn require(
    holds: bool,
    optimizer: &'static str,
    name: &'static str,
    value: f64,
    expected: &'static str,
) -> Result<(), OptimizerError> {
    if holds {
        return Ok(());
    }
    Err(OptimizerError::Hyperparameter { optimizer, name, value, expected })
}
