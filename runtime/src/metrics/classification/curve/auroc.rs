use super::area::{Area, Curve};
use super::curve_area;
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The area under the receiver operating characteristic: torchmetrics'
/// [`AUROC`](https://lightning.ai/docs/torchmetrics/stable/classification/auroc.html), the probability that a positive has a
/// higher score than a negative.
///
/// Options: `thresholds`, `ignore_index`, and for the [`Multiclass`] and [`Multilabel`](crate::metrics::Multilabel) tasks
/// `average`, by default [`Macro`](crate::metrics::Average::Macro); [`Micro`](crate::metrics::Average::Micro) only for the multilabel
/// task. Predictions are probabilities or logits of a floating-point dtype, with the shapes of the task; a batch with
/// any value below 0 or above 1 consists of logits.
///
/// The value is 0-dim, or `[classes]` without an average. For a class without positives or without negatives it is 0, also
/// in an average.
///
/// By default all scores are kept, 12 bytes and more for an element, and every score is a threshold. With `thresholds` only
/// counts are kept, and the area is that under the points of these thresholds.
///
/// State: `preds`, f32 `[elements, classes]`, and `target`, i64; or with thresholds `histogram`, i64
/// `[classes, 2, thresholds + 1]`; and `out_of_range`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Auroc, Metric};
///
/// let auroc = Auroc::binary();
/// auroc.update(&Tensor::from_slice(&[0.1f32, 0.5]), &Tensor::from_slice(&[0i64, 1]))?;
/// auroc.update(&Tensor::from_slice(&[0.7f32, 0.8]), &Tensor::from_slice(&[0i64, 1]))?;
/// // of 4 pairs of a positive and a negative, 3 are in order
/// assert_eq!(auroc.compute()?.double_value(&[]), 0.75);
///
/// let binned = Auroc::multiclass(10).thresholds(200);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Auroc<T = Multiclass>(Shared<Area, T>);

curve_area!(Auroc, Curve::Roc);
