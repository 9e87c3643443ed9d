use tch::{TchError, Tensor};

use super::pairs::{Pairs, Statistic};
use super::{classifies, decides};
use crate::metrics::accumulated::copied;
use crate::metrics::ratio::ratio;
use crate::metrics::shared::Shared;
use crate::metrics::{Multiclass, Task};

/// The number of elements for each pair of a true and a predicted class: torchmetrics'
/// [`ConfusionMatrix`](https://lightning.ai/docs/torchmetrics/stable/classification/confusion_matrix.html).
///
/// Rows are the true classes and columns the predicted. The value is `[2, 2]` for the [`Binary`](crate::metrics::Binary) task,
/// `[classes, classes]` for the [`Multiclass`] and `[labels, 2, 2]` for the [`Multilabel`](crate::metrics::Multilabel) one:
/// i64 counts, or real fractions if it is normalized.
///
/// Options: `threshold` for the tasks with one, `ignore_index` and `normalize`. Predictions and targets have
/// the shapes and dtypes of the task.
///
/// State: `confmat`, the counts; and `out_of_range`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{ConfusionMatrix, Metric};
///
/// let confusion = ConfusionMatrix::multiclass(3).ignore_index(-1);
/// confusion.update(&Tensor::from_slice(&[2i64, 1, 0, 1]), &Tensor::from_slice(&[2i64, 1, 0, -1]))?;
/// confusion.update(&Tensor::from_slice(&[0i64]), &Tensor::from_slice(&[2i64]))?;
/// assert_eq!(confusion.compute()?, Tensor::from_slice2(&[[1i64, 0, 0], [0, 1, 0], [1, 0, 1]]));
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct ConfusionMatrix<T = Multiclass>(Shared<Pairs<Normalize>, T>);

classifies!(ConfusionMatrix, Pairs::new);
decides!(ConfusionMatrix);

impl<T: Task> ConfusionMatrix<T> {
    /// Sets the normalization. Default [`Normalize::None`].
    pub fn normalize(self, normalize: Normalize) -> Self {
        Self(self.0.with(|formula| formula.statistic = normalize))
    }
}

/// The divisor of the counts of a confusion matrix. If it is 0, so is the fraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Normalize {
    /// No normalization.
    #[default]
    None,
    /// The number of elements with the true class: rows add up to 1.
    True,
    /// The number of elements with the predicted class: columns add up to 1.
    Pred,
    /// The number of all elements.
    All,
}

impl Statistic for Normalize {
    const NAME: &'static str = "ConfusionMatrix";

    fn value(&self, counts: &Tensor) -> Result<Tensor, TchError> {
        let dimensions: &[i64] = match self {
            Normalize::None => return copied(counts),
            Normalize::True => &[-1],
            Normalize::Pred => &[-2],
            Normalize::All => &[-2, -1],
        };
        ratio(counts, &counts.f_sum_dim_intlist(dimensions, true, None)?)
    }
}
