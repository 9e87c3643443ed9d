use super::stat_scores::{Rate, StatScores, stat_scores};
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The fraction of the elements without a class that were not predicted to have it: torchmetrics'
/// [`Specificity`](https://lightning.ai/docs/torchmetrics/stable/classification/specificity.html), tn / (tn + fp), or 0 if there are
/// none.
///
/// Tasks, options, shapes and state are those of [`Accuracy`](crate::metrics::Accuracy).
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, Specificity};
///
/// let specificity = Specificity::binary();
/// specificity.update(&Tensor::from_slice(&[0i64, 1, 1, 0, 0]), &Tensor::from_slice(&[0i64, 0, 1, 0, 1]))?;
/// // of three negatives, two were recognized
/// assert!((specificity.compute()?.double_value(&[]) - 2.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Specificity<T = Multiclass>(Shared<StatScores, T>);

stat_scores!(Specificity, Rate::Specificity);
