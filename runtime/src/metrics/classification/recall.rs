use super::stat_scores::{Rate, StatScores, stat_scores};
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The fraction of the elements with a class that were predicted to have it: torchmetrics'
/// [`Recall`](https://lightning.ai/docs/torchmetrics/stable/classification/recall.html), tp / (tp + fn), or 0 if there are none.
///
/// Tasks, options, shapes and state are those of [`Accuracy`](crate::metrics::Accuracy).
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, Recall};
///
/// let recall = Recall::binary().threshold(0.3);
/// recall.update(&Tensor::from_slice(&[0.1f32, 0.4, 0.9, 0.2]), &Tensor::from_slice(&[0i64, 1, 1, 1]))?;
/// assert!((recall.compute()?.double_value(&[]) - 2.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Recall<T = Multiclass>(Shared<StatScores, T>);

stat_scores!(Recall, Rate::Recall);
