use super::stat_scores::{Rate, StatScores, rates};
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The intersection over union: torchmetrics'
/// [`JaccardIndex`](https://lightning.ai/docs/torchmetrics/stable/classification/jaccard_index.html), the number of elements that have a
/// class and were predicted to have it, divided by the number of those that have it or were: tp / (tp + fp + fn), or 0 if there are
/// none. The usual measure of a segmentation.
///
/// Options: `threshold` for the tasks with one; `average`, by default [`Macro`](crate::metrics::Average::Macro), for those of several classes;
/// and `ignore_index`, which, if it is a class, is not averaged. An average of no class is NaN. Shapes and state are those of [`Accuracy`](crate::metrics::Accuracy).
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{JaccardIndex, Metric};
///
/// let index = JaccardIndex::multiclass(2);
/// // the predicted and the true class of each pixel of a 2x2 image
/// let (preds, target) = (Tensor::from_slice2(&[[0i64, 1], [1, 1]]), Tensor::from_slice2(&[[0i64, 0], [1, 1]]));
/// index.update(&preds.unsqueeze(0), &target.unsqueeze(0))?;
/// // class 0: 1 of 2, class 1: 2 of 3
/// assert!((index.compute()?.double_value(&[]) - (1.0 / 2.0 + 2.0 / 3.0) / 2.0).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct JaccardIndex<T = Multiclass>(Shared<StatScores, T>);

rates!(JaccardIndex, Rate::JaccardIndex, "Macro");
