use super::mean_error::{Distance, MeanError};
use super::outputs::Outputs;
use crate::metrics::handle::compares;
use crate::metrics::shared::Shared;

/// The mean of the absolute errors divided by the sizes of their targets: torchmetrics'
/// [`MeanAbsolutePercentageError`](https://lightning.ai/docs/torchmetrics/stable/regression/mean_absolute_percentage_error.html). 0.1 are 10
/// percent.
///
/// `update` takes predictions and targets of the same shape, any, and any real dtype. The value is 0-dim. As in torchmetrics, targets closer
/// to 0 than 1.17e-6 count as 1.17e-6.
///
/// State: `sum_abs_per_error` and `total`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{MeanAbsolutePercentageError, Metric};
///
/// let error = MeanAbsolutePercentageError::new();
/// error.update(&Tensor::from_slice(&[0.5f32, 15.0]), &Tensor::from_slice(&[1.0f32, 10.0]))?;
/// error.update(&Tensor::from_slice(&[7.0f32, -2.0]), &Tensor::from_slice(&[7.0f32, -8.0]))?;
/// // 0.5, 0.5, 0 and 0.75
/// assert_eq!(error.compute()?.double_value(&[]), 1.75 / 4.0);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct MeanAbsolutePercentageError(Shared<MeanError>);

compares!(MeanAbsolutePercentageError);

impl Default for MeanAbsolutePercentageError {
    fn default() -> Self {
        Self::new()
    }
}

impl MeanAbsolutePercentageError {
    /// Creates the metric.
    pub fn new() -> Self {
        Self(Shared::new(MeanError { outputs: Outputs(1), distance: Distance::AbsolutePercentage }))
    }
}
