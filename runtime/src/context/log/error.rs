use crate::metrics::MetricError;
use crate::native::NativeError;
use tch::TchError;

/// A logged value could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A metric has no value.
    #[error("the logged metric `{name}`: {source}")]
    Metric {
        /// The name under which it was logged.
        name: String,
        /// Why it has none.
        source: MetricError,
    },
    /// A metric's value is not one number.
    #[error("the logged metric `{name}` has a value of shape {shape:?}: one number can be logged, such as an average")]
    Shape {
        /// The name under which it was logged.
        name: String,
        /// The shape of the value.
        shape: Vec<i64>,
    },
    /// libtorch refused.
    #[error(transparent)]
    Torch(#[from] TchError),
    /// libtorch refused.
    #[error(transparent)]
    Native(#[from] NativeError),
}
