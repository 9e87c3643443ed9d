use std::fmt;

use super::algorithm::Rule;
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
    #[error("the saved state does not fit {optimizer}: {}", state_problems(missing, misshaped, unexpected))]
    State {
        /// The algorithm's name.
        optimizer: &'static str,
        /// The names that should be in it and are not.
        missing: Vec<String>,
        /// The tensors of another shape than their parameter's.
        misshaped: Vec<Misshaped>,
        /// The names in it that no parameter and slot has.
        unexpected: Vec<String>,
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

/// A tensor of a saved state with another shape than it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshaped {
    /// The tensor's name, such as `fc1.weight.exp_avg`.
    pub name: String,
    /// The shape that it has.
    pub found: Vec<i64>,
    /// The shape that it should have.
    pub expected: Vec<i64>,
}

impl fmt::Display for Misshaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, found, expected } = self;
        write!(f, "{name} ({found:?} instead of {expected:?})")
    }
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

/// How many names a sentence lists before it counts the rest; the error's fields have them all.
const LISTED: usize = 8;

fn state_problems(missing: &[String], misshaped: &[Misshaped], unexpected: &[String]) -> String {
    let problems = [list("missing", missing), list("of another shape", misshaped), list("unexpected", unexpected)];
    problems.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn list(problem: &str, names: &[impl fmt::Display]) -> Option<String> {
    let shown: Vec<String> = names.iter().take(LISTED).map(ToString::to_string).collect();
    let rest = names.len().saturating_sub(LISTED);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("{problem}: {}{more}", shown.join(", ")))
}
