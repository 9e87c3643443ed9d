//! The macros that implement the common part of all metrics: each is a handle to a shared state.

/// Implements [`Metric`](super::Metric), `Clone` and `Debug` for a struct around [`Shared`](super::shared::Shared).
macro_rules! handle {
    ($metric:ident $(<$task:ident: $bound:path>)?) => {
        /// Returns another handle to the same state.
        impl$(<$task: $bound>)? Clone for $metric$(<$task>)? {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl$(<$task: $bound>)? std::fmt::Debug for $metric$(<$task>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl$(<$task: $bound>)? $crate::metrics::Metric for $metric$(<$task>)? {
            fn name(&self) -> &'static str {
                self.0.name()
            }

            fn compute(&self) -> Result<tch::Tensor, $crate::metrics::MetricError> {
                self.0.compute()
            }

            fn batch_value(&self) -> Result<tch::Tensor, $crate::metrics::MetricError> {
                self.0.batch_value()
            }

            fn reset(&self) {
                self.0.reset();
            }

            fn state(&self) -> Result<Vec<(String, tch::Tensor)>, $crate::metrics::MetricError> {
                self.0.state()
            }

            fn dist_reduce_fx(&self) -> Vec<(String, $crate::metrics::DistReduceFx)> {
                self.0.dist_reduce_fx()
            }

            fn load_state(&self, state: Vec<(String, tch::Tensor)>) -> Result<(), $crate::metrics::MetricError> {
                self.0.load_state(state)
            }

            fn join_state(&self, earlier: Vec<(String, tch::Tensor)>) -> Result<(), $crate::metrics::MetricError> {
                self.0.join_state(earlier)
            }

            fn state_id(&self) -> Option<usize> {
                Some(self.0.state_id())
            }

            fn shallow_clone(&self) -> Box<dyn $crate::metrics::Metric> {
                Box::new(self.clone())
            }
        }
    };
}

/// Implements the two updates of a metric of predictions and targets.
macro_rules! compares {
    ($metric:ident $(<$task:ident: $bound:path>)?) => {
        impl$(<$task: $bound>)? $metric$(<$task>)? {
            /// Adds a batch, without waiting for the device.
            ///
            /// # Errors
            /// [`MetricError::Batch`](crate::metrics::MetricError::Batch) for shapes, dtypes or devices that do not fit, and
            /// [`MetricError::Configuration`](crate::metrics::MetricError::Configuration) for invalid options;
            /// then nothing is added.
            pub fn update(
                &self,
                preds: &tch::Tensor,
                target: &tch::Tensor,
            ) -> Result<(), $crate::metrics::MetricError> {
                self.0.update(|formula| formula.batch(preds, target))
            }

            /// Adds a batch, and returns the value of only this batch, on its device and without a graph. It does not wait for
            /// the device, so only [`compute`](crate::metrics::Metric::compute) detects labels out of range.
            ///
            /// # Errors
            /// As [`update`](Self::update).
            pub fn forward(
                &self,
                preds: &tch::Tensor,
                target: &tch::Tensor,
            ) -> Result<tch::Tensor, $crate::metrics::MetricError> {
                self.0.forward(|formula| formula.batch(preds, target))
            }
        }

        impl$(<$task: $bound>)? $crate::metrics::ComparisonMetric for $metric$(<$task>)? {
            fn update(&self, preds: &tch::Tensor, target: &tch::Tensor) -> Result<(), $crate::metrics::MetricError> {
                Self::update(self, preds, target)
            }
        }

        $crate::metrics::handle::handle!($metric $(<$task: $bound>)?);
    };
}

pub(super) use {compares, handle};
