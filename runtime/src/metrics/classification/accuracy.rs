use super::stat_scores::{Rate, StatScores, stat_scores};
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;

/// The fraction of elements that are classified correctly: torchmetrics'
/// [`Accuracy`](https://lightning.ai/docs/torchmetrics/stable/classification/accuracy.html).
///
/// The type parameter is the task, by default [`Multiclass`]. The options by task, with their defaults:
///
/// | | [`Binary`](crate::metrics::Binary) | [`Multiclass`] | [`Multilabel`](crate::metrics::Multilabel) |
/// |---|---|---|---|
/// | `threshold` 0.5 | yes | | yes |
/// | `top_k` 1 | | yes | |
/// | `average` [`Micro`](crate::metrics::Average::Micro) | | yes | yes |
/// | `ignore_index` none | yes | yes | yes |
///
/// Predictions and targets have the shapes and dtypes of the task. The value is 0-dim, or `[classes]` without an average.
/// For a class it is the fraction of its elements that were predicted correctly, and for a label the fraction of elements for
/// which the label was predicted correctly.
///
/// State: `stat_scores`, true positives, false positives, true negatives and false negatives, i64 `[4, classes]`; and
/// `out_of_range`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Accuracy, Average, Binary, Metric};
///
/// struct Model {
///     accuracy: Accuracy,
///     spam: Accuracy<Binary>,
/// }
///
/// let model = Model { accuracy: Accuracy::multiclass(3).average(Average::Macro), spam: Accuracy::binary() };
///
/// let scores = Tensor::from_slice2(&[[0.8f32, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]]);
/// model.accuracy.update(&scores, &Tensor::from_slice(&[0i64, 1, 1]))?;
/// // class 0: 1 of 1, class 1: 1 of 2, class 2: neither present nor predicted
/// assert_eq!(model.accuracy.compute()?.double_value(&[]), 0.75);
///
/// let logits = Tensor::from_slice(&[-3.0f32, 2.5, 0.1]);
/// model.spam.update(&logits, &Tensor::from_slice(&[0i64, 1, 0]))?;
/// assert!((model.spam.compute()?.double_value(&[]) - 2.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct Accuracy<T = Multiclass>(Shared<StatScores, T>);

stat_scores!(Accuracy, Rate::Accuracy);
