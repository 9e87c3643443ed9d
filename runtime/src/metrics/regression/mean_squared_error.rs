use super::mean_error::{Distance, MeanError};
use super::outputs::Outputs;
use crate::metrics::handle::compares;
use crate::metrics::shared::Shared;

/// The mean squared error of predictions, or its root: torchmetrics'
/// [`MeanSquaredError`](https://lightning.ai/docs/torchmetrics/stable/regression/mean_squared_error.html).
///
/// `update` takes predictions and targets of the same shape and any real dtype: any shape for one output, and
/// `[samples, outputs]` for several. The value is 0-dim, or `[outputs]` for several.
///
/// State: `sum_squared_error` and `total`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{MeanSquaredError, Metric};
///
/// let root = MeanSquaredError::new().squared(false);
/// root.update(&Tensor::from_slice(&[2.5f32, 5.0]), &Tensor::from_slice(&[3.0f32, 5.0]))?;
/// root.update(&Tensor::from_slice(&[3.0f32, 8.0]), &Tensor::from_slice(&[2.5f32, 7.5]))?;
/// assert_eq!(root.compute()?.double_value(&[]), (0.75f64 / 4.0).sqrt());
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct MeanSquaredError(Shared<MeanError>);

compares!(MeanSquaredError);

impl Default for MeanSquaredError {
    fn default() -> Self {
        Self::new()
    }
}

impl MeanSquaredError {
    /// Creates a metric of one output.
    pub fn new() -> Self {
        Self(Shared::new(MeanError { outputs: Outputs(1), distance: Distance::Squared }))
    }

    /// Sets whether the value is the squared error (`true`) or its root. Default true.
    pub fn squared(self, squared: bool) -> Self {
        let distance = if squared { Distance::Squared } else { Distance::RootSquared };
        Self(self.0.with(|formula| formula.distance = distance))
    }

    /// Sets the number of outputs, each with its own error. Default 1.
    pub fn num_outputs(self, num_outputs: i64) -> Self {
        Self(self.0.with(|formula| formula.outputs = Outputs(num_outputs)))
    }
}
