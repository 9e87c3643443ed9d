//! Aggregations of arbitrary values.

mod mean;
mod reduced;

pub use mean::Mean;
pub use reduced::{Max, Min, Sum};

/// Implements the constructor and the updates of an aggregation.
macro_rules! aggregates {
    ($metric:ident, $formula:expr) => {
        impl Default for $metric {
            fn default() -> Self {
                Self::new()
            }
        }

        impl $metric {
            /// Creates an aggregation without any values.
            pub fn new() -> Self {
                Self($crate::metrics::shared::Shared::new($formula))
            }

            /// Adds values of any shape and real dtype, without waiting for the device.
            ///
            /// # Errors
            /// [`MetricError::Batch`](crate::metrics::MetricError::Batch) for complex numbers, or another device than
            /// before; then nothing is added.
            pub fn update(&self, values: &tch::Tensor) -> Result<(), $crate::metrics::MetricError> {
                self.0.update(|formula| formula.batch(values))
            }

            /// Adds values, and returns the aggregation of only these values, on their device.
            ///
            /// # Errors
            /// As [`update`](Self::update).
            pub fn forward(&self, values: &tch::Tensor) -> Result<tch::Tensor, $crate::metrics::MetricError> {
                self.0.forward(|formula| formula.batch(values))
            }
        }

        $crate::metrics::handle::handle!($metric);
    };
}

use aggregates;
