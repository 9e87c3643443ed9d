use super::stat_scores::{Rate, StatScores, stat_scores};
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The fraction of the elements predicted to have a class that have it: torchmetrics'
/// [`Precision`](https://lightning.ai/docs/torchmetrics/stable/classification/precision.html), tp / (tp + fp), or 0 if there are none.
///
/// Tasks, options, shapes and state are those of [`Accuracy`](crate::metrics::Accuracy).
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Average, Metric, Precision};
///
/// let precision = Precision::multiclass(3).average(Average::None);
/// precision.update(&Tensor::from_slice(&[0i64, 1, 1, 1]), &Tensor::from_slice(&[0i64, 1, 1, 2]))?;
/// let of_classes = Vec::<f64>::try_from(precision.compute()?)?;
/// assert_eq!(of_classes, [1.0, 2.0 / 3.0, 0.0]);
/// # Ok::<(), anyhow::Error>(())
/// ```
pub struct Precision<T = Multiclass>(Shared<StatScores, T>);

stat_scores!(Precision, Rate::Precision);
