//! Aggregations of values as they are.

mod mean;
mod reduced;

pub use mean::Mean;
pub use reduced::{Max, Min, Sum};

/// The updates of an aggregation, and its constructor.
macro_rules! aggregates {
    ($metric:ident, $formula:expr) => {
        impl Default for $metric {
            fn default() -> Self {
                Self::new()
            }
        }

        impl $metric {
            /// An aggregation of nothing yet.
            pub fn new() -> Self {
                Self($crate::metrics::shared::Shared::new($formula))
            }

            /// Adds values, of any shape and real dtype. Nothing waits for the device.
            ///
            /// # Errors
            /// [`MetricError::Batch`](crate::metrics::MetricError::Batch) for complex numbers, or another device than
            /// before; nothing is added then.
            pub fn update(&self, values: &tch::Tensor) -> Result<(), $crate::metrics::MetricError> {
                self.0.update(|formula| formula.batch(values))
            }

            /// Adds values, and returns the aggregation of them alone, still on their device.
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
