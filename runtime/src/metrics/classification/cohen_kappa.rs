use tch::{Device, Kind, TchError, Tensor};

use super::pairs::{Pairs, Statistic};
use super::{classifies_exclusively, decides};
use crate::metrics::shared::Shared;
use crate::metrics::slot::real;
use crate::metrics::{Multiclass, Task};

/// The agreement of predictions and targets beyond that of chance: torchmetrics'
/// [`CohenKappa`](https://lightning.ai/docs/torchmetrics/stable/classification/cohen_kappa.html), from -1 to 1, and 0 for the agreement of
/// two independent raters who choose each class as often.
///
/// It is of the [`Binary`](crate::metrics::Binary) and the [`Multiclass`] task. Options: `threshold` for the binary one, `ignore_index` and
/// `weights`. The value is 0-dim; NaN if all predictions and targets are of one class.
///
/// State: `confmat`, the counts of a [`ConfusionMatrix`](crate::metrics::ConfusionMatrix); and `out_of_range`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{CohenKappa, Metric};
///
/// let kappa = CohenKappa::multiclass(2);
/// kappa.update(&Tensor::from_slice(&[0i64, 1, 0, 0]), &Tensor::from_slice(&[1i64, 1, 0, 0]))?;
/// // they agree on 3 of 4, and by chance would on half
/// assert!((kappa.compute()?.double_value(&[]) - 0.5).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct CohenKappa<T = Multiclass>(Shared<Pairs<KappaWeights>, T>);

classifies_exclusively!(CohenKappa, Pairs::new);
decides!(CohenKappa);

impl<T: Task> CohenKappa<T> {
    /// Sets the weights of disagreements. Default [`KappaWeights::None`].
    pub fn weights(self, weights: KappaWeights) -> Self {
        Self(self.0.with(|formula| formula.statistic = weights))
    }
}

/// How much a disagreement counts in [`CohenKappa`], by the distance of the two classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KappaWeights {
    /// Each as much.
    #[default]
    None,
    /// By the distance.
    Linear,
    /// By the square of the distance.
    Quadratic,
}

impl KappaWeights {
    /// Returns the weight of each pair of classes, `[classes, classes]`.
    fn of_pairs(self, classes: i64, options: (Kind, Device)) -> Result<Tensor, TchError> {
        let numbers = Tensor::f_arange(classes, options)?;
        let distance = numbers.f_unsqueeze(0)?.f_sub(&numbers.f_unsqueeze(1)?)?.f_abs()?;
        match self {
            KappaWeights::None => distance.f_clamp_max(1),
            KappaWeights::Linear => Ok(distance),
            KappaWeights::Quadratic => distance.f_square(),
        }
    }
}

impl Statistic for KappaWeights {
    const NAME: &'static str = "CohenKappa";

    fn value(&self, counts: &Tensor) -> Result<Tensor, TchError> {
        let device = counts.device();
        let counts = counts.f_to_kind(real(device))?;
        let predicted = counts.f_sum_dim_intlist(0, true, None)?;
        let of_targets = counts.f_sum_dim_intlist(1, true, None)?;
        let expected = of_targets.f_matmul(&predicted)?.f_div(&predicted.f_sum(None)?)?;
        let weights = self.of_pairs(counts.size()[0], (real(device), device))?;
        let disagreement = |counts: &Tensor| weights.f_mul(counts)?.f_sum(None);
        disagreement(&counts)?.f_div(&disagreement(&expected)?)?.f_neg()?.f_add_scalar(1.0)
    }
}
