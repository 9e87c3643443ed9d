use tch::TchError;

use crate::mismatch::Mismatch;
use crate::native::without_backtrace;

/// An error of a metric.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// An option of the metric is invalid.
    #[error("{metric}: {reason}")]
    Configuration {
        /// The metric's name.
        metric: &'static str,
        /// The invalid option, and its valid values.
        reason: String,
    },

    /// A batch has shapes, dtypes or a device that the metric does not accept. Nothing was added.
    #[error("{metric} cannot take this batch: {reason}")]
    Batch {
        /// The metric's name.
        metric: &'static str,
        /// The reason, and how to fix it.
        reason: String,
    },

    /// The value was requested before the first batch.
    #[error("{metric} has no value yet; call `update` before `compute`, and again after `reset`")]
    NoUpdates {
        /// The metric's name.
        metric: &'static str,
    },

    /// The values of a batch are invalid. As they are on the device, only `compute` checks them.
    #[error("{metric} has no value: {reason}")]
    Values {
        /// The metric's name.
        metric: &'static str,
        /// The reason, and how to fix it.
        reason: String,
    },

    /// A saved state does not fit the metric. No part of it was loaded.
    #[error("the saved state does not fit {metric}: {mismatch}")]
    State {
        /// The metric's name.
        metric: &'static str,
        /// The names and shapes that do not fit.
        mismatch: Box<Mismatch>,
    },

    /// An operation of libtorch failed.
    #[error("{metric} cannot {action}: {message}")]
    Libtorch {
        /// The metric's name.
        metric: &'static str,
        /// The action that failed, such as `update`.
        action: &'static str,
        /// The message of libtorch, without its backtrace.
        message: String,
    },
}

impl MetricError {
    pub(super) fn libtorch(metric: &'static str, action: &'static str, error: TchError) -> Self {
        let message = match error {
            TchError::Torch(message) => message,
            other => other.to_string(),
        };
        Self::Libtorch { metric, action, message: without_backtrace(&message).to_owned() }
    }
}

/// An error of a formula, to which [`Shared`](super::shared::Shared) adds the name of the metric.
#[derive(Debug)]
pub(super) enum Refusal {
    Configuration(String),
    Batch(String),
    Values(String),
    Libtorch(TchError),
}

impl From<TchError> for Refusal {
    fn from(error: TchError) -> Self {
        Self::Libtorch(error)
    }
}

impl Refusal {
    pub(super) fn of(self, metric: &'static str, action: &'static str) -> MetricError {
        match self {
            Self::Configuration(reason) => MetricError::Configuration { metric, reason },
            Self::Batch(reason) => MetricError::Batch { metric, reason },
            Self::Values(reason) => MetricError::Values { metric, reason },
            Self::Libtorch(error) => MetricError::libtorch(metric, action, error),
        }
    }
}

/// Returns an error unless an option is valid.
pub(super) fn require_option(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Configuration(reason())) }
}
