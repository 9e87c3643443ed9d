use tch::TchError;

use crate::mismatch::Mismatch;
use crate::native::without_backtrace;

/// What can be wrong with a metric.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The metric was made with options that make no sense.
    #[error("{metric}: {reason}")]
    Configuration {
        /// The metric's name.
        metric: &'static str,
        /// Which option is wrong, and what would be right.
        reason: String,
    },

    /// A batch has shapes, dtypes or a device that the metric cannot take; nothing of it was added.
    #[error("{metric} cannot take this batch: {reason}")]
    Batch {
        /// The metric's name.
        metric: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },

    /// The metric was asked for its value before it had any batch.
    #[error("{metric} has no value yet: call `update` before `compute`, and again after `reset`")]
    NoUpdates {
        /// The metric's name.
        metric: &'static str,
    },

    /// The values of some batch make the metric meaningless. They are on the device, so that only `compute` looks at them.
    #[error("{metric} has no value: {reason}")]
    Values {
        /// The metric's name.
        metric: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },

    /// A saved state does not fit the metric; nothing of it was loaded.
    #[error("the saved state does not fit {metric}: {mismatch}")]
    State {
        /// The metric's name.
        metric: &'static str,
        /// The names and shapes that do not fit.
        mismatch: Box<Mismatch>,
    },

    /// libtorch refused.
    #[error("{metric} cannot {action}: {message}")]
    Libtorch {
        /// The metric's name.
        metric: &'static str,
        /// What was to be done, such as `update`.
        action: &'static str,
        /// What libtorch said, without its backtrace.
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

/// Why a formula refuses. The name of its metric is added in one place, the carrier of the state.
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

/// Fails unless an option of the metric makes sense.
pub(super) fn require_option(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::Configuration(reason())) }
}
