use tch::{TchError, Tensor};

use super::mean_error::{Distance, MeanError};
use super::outputs::Outputs;
use crate::metrics::error::{Refusal, require_option};
use crate::metrics::handle::compares;
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::Slot;

/// The ratio of the largest possible difference of two images to their mean squared error, in decibels: torchmetrics'
/// [`PeakSignalNoiseRatio`](https://lightning.ai/docs/torchmetrics/stable/image/peak_signal_noise_ratio.html) over all pixels of all images.
///
/// `update` takes images of the same shape, any, and any real dtype. The value is 0-dim, and infinite for equal images.
///
/// State: `sum_squared_error` and `total`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, PeakSignalNoiseRatio};
///
/// let ratio = PeakSignalNoiseRatio::new(255.0);
/// let (preds, target) = (Tensor::from_slice2(&[[0u8, 100], [200, 250]]), Tensor::from_slice2(&[[0u8, 90], [200, 240]]));
/// ratio.update(&preds, &target)?;
/// // the mean squared error is 50
/// assert!((ratio.compute()?.double_value(&[]) - 10.0 * (255.0f64 * 255.0 / 50.0).log10()).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct PeakSignalNoiseRatio(Shared<SignalNoise>);

compares!(PeakSignalNoiseRatio);

impl PeakSignalNoiseRatio {
    /// Creates a metric of images whose values differ by at most `data_range`, such as 1 or 255. torchmetrics also determines the range from
    /// the images, which depends on how they are divided into batches.
    pub fn new(data_range: f64) -> Self {
        let error = MeanError { outputs: Outputs(1), distance: Distance::Squared };
        Self(Shared::new(SignalNoise { error, data_range }))
    }
}

#[derive(Clone)]
struct SignalNoise {
    error: MeanError,
    data_range: f64,
}

impl SignalNoise {
    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        self.error.batch(preds, target)
    }
}

impl Formula for SignalNoise {
    fn name(&self) -> &'static str {
        "PeakSignalNoiseRatio"
    }

    fn slots(&self) -> Vec<Slot> {
        self.error.slots()
    }

    fn validate(&self) -> Result<(), Refusal> {
        let is_range = self.data_range > 0.0 && self.data_range.is_finite();
        require_option(is_range, || format!("data_range must be a number above 0, but it is {}", self.data_range))
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let error = self.error.value(state)?;
        error.f_reciprocal()?.f_mul_scalar(self.data_range * self.data_range)?.f_log10()?.f_mul_scalar(10.0)
    }
}
