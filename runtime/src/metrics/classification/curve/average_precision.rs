use super::area::{Area, Curve};
use super::curve_area;
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The average precision, as torchmetrics'
/// [`AveragePrecision`](https://lightning.ai/docs/torchmetrics/stable/classification/average_precision.html): the mean of the
/// precisions at each threshold, weighted with the recall that it gains.
///
/// Options, inputs and state are those of [`Auroc`](crate::metrics::Auroc).
///
/// The value is 0-dim, or `[classes]` without an average. For a class without positives, it is NaN in the [`Multiclass`] task with
/// every score as a threshold, and excluded from averages; otherwise it is 0 and included. These are torchmetrics' rules, with one
/// exception: if all elements have class 0, torchmetrics returns 0 for the other classes.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{AveragePrecision, Metric};
///
/// let precision = AveragePrecision::binary();
/// let scores = Tensor::from_slice(&[0.9f32, 0.8, 0.7, 0.1]);
/// precision.update(&scores, &Tensor::from_slice(&[1i64, 0, 1, 0]))?;
/// // half of the recall with a precision of 1, the other with 2/3
/// assert!((precision.compute()?.double_value(&[]) - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct AveragePrecision<T = Multiclass>(Shared<Area, T>);

curve_area!(AveragePrecision, Curve::PrecisionRecall);
