use super::mean_error::{Distance, MeanError};
use super::outputs::Outputs;
use crate::metrics::handle::compares;
use crate::metrics::shared::Shared;

/// The mean absolute error of predictions: torchmetrics'
/// [`MeanAbsoluteError`](https://lightning.ai/docs/torchmetrics/stable/regression/mean_absolute_error.html).
///
/// `update` takes predictions and targets of the same shape and any real dtype: any shape for one output, and
/// `[samples, outputs]` for several. The value is 0-dim, or `[outputs]` for several.
///
/// State: `sum_abs_error` and `total`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{MeanAbsoluteError, Metric};
///
/// let error = MeanAbsoluteError::new();
/// error.update(&Tensor::from_slice(&[2.5f32, 0.0]), &Tensor::from_slice(&[3.0f32, -0.5]))?;
/// error.update(&Tensor::from_slice(&[2.0f32, 8.0]), &Tensor::from_slice(&[2.0f32, 7.0]))?;
/// assert_eq!(error.compute()?.double_value(&[]), 0.5);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct MeanAbsoluteError(Shared<MeanError>);

compares!(MeanAbsoluteError);

impl Default for MeanAbsoluteError {
    fn default() -> Self {
        Self::new()
    }
}

impl MeanAbsoluteError {
    /// Creates a metric of one output.
    pub fn new() -> Self {
        Self(Shared::new(MeanError { outputs: Outputs(1), distance: Distance::Absolute }))
    }

    /// Sets the number of outputs, each with its own error. Default 1.
    pub fn num_outputs(self, num_outputs: i64) -> Self {
        Self(self.0.with(|formula| formula.outputs = Outputs(num_outputs)))
    }
}
