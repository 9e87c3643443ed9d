use super::stat_scores::{Rate, StatScores, stat_scores};
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The harmonic mean of precision and recall: torchmetrics'
/// [`F1Score`](https://lightning.ai/docs/torchmetrics/stable/classification/f1_score.html), 2 tp / (2 tp + fp + fn), or 0 if
/// the denominator is 0.
///
/// Tasks, options, shapes and state are those of [`Accuracy`](crate::metrics::Accuracy).
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{F1Score, Metric, Multilabel};
///
/// let f1: F1Score<Multilabel> = F1Score::multilabel(2);
/// let probabilities = Tensor::from_slice2(&[[0.9f32, 0.2], [0.8, 0.6]]);
/// f1.update(&probabilities, &Tensor::from_slice2(&[[1i64, 0], [0, 1]]))?;
/// // of both labels together, tp 2, fp 1, fn 0
/// assert_eq!(f1.compute()?.double_value(&[]), 0.8);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct F1Score<T = Multiclass>(Shared<StatScores, T>);

stat_scores!(F1Score, Rate::F1Score);
