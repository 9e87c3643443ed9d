use tch::{TchError, Tensor};

use super::pairs::{Pairs, Statistic};
use super::{classifies, decides};
use crate::metrics::Multiclass;
use crate::metrics::shared::Shared;
use crate::metrics::slot::real;

/// The correlation of predicted and true classes: torchmetrics'
/// [`MatthewsCorrCoef`](https://lightning.ai/docs/torchmetrics/stable/classification/matthews_corr_coef.html), from -1 to 1, and 0 for
/// predictions at random. It is meaningful for classes of different sizes as well.
///
/// Options: `threshold` for the tasks with one, and `ignore_index`. The value is 0-dim; that of the
/// [`Multilabel`](crate::metrics::Multilabel) task is of all labels together. Where a class is never or always predicted, or never or always the
/// target, the coefficient is not defined: its value is then 0 for more than two classes, and for two as in torchmetrics.
///
/// State: `confmat`, the counts of a [`ConfusionMatrix`](crate::metrics::ConfusionMatrix); and `out_of_range`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{MatthewsCorrCoef, Metric};
///
/// let coefficient = MatthewsCorrCoef::multiclass(2);
/// coefficient.update(&Tensor::from_slice(&[0i64, 1, 0, 0]), &Tensor::from_slice(&[1i64, 1, 0, 0]))?;
/// assert!((coefficient.compute()?.double_value(&[]) - 1.0 / 3f64.sqrt()).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct MatthewsCorrCoef<T = Multiclass>(Shared<Pairs<Correlation>, T>);

classifies!(MatthewsCorrCoef, Pairs::new);
decides!(MatthewsCorrCoef);

#[derive(Clone, Default)]
struct Correlation;

impl Statistic for Correlation {
    const NAME: &'static str = "MatthewsCorrCoef";

    fn value(&self, counts: &Tensor) -> Result<Tensor, TchError> {
        let counts = counts.f_to_kind(real(counts.device()))?;
        let counts = if counts.dim() == 3 { counts.f_sum_dim_intlist(0, false, None)? } else { counts };
        let (of_targets, predicted) = (sum_over(&counts, -1)?, sum_over(&counts, -2)?);
        let all = counts.f_sum(None)?.f_square()?;
        let covariance = |one: &Tensor, other: &Tensor, hits: Tensor| hits.f_sub(&one.f_mul(other)?.f_sum(None)?);
        let hits = counts.f_trace()?.f_mul(&counts.f_sum(None)?)?;
        let numerator = covariance(&of_targets, &predicted, hits)?;
        let of_predicted = covariance(&predicted, &predicted, all.shallow_clone())?;
        let denominator = of_predicted.f_mul(&covariance(&of_targets, &of_targets, all)?)?;
        let undefined = match counts.size()[0] {
            2 => of_two_without_variance(&counts)?,
            _ => denominator.f_zeros_like()?,
        };
        undefined.f_where_self(&denominator.f_eq(0)?, &numerator.f_div(&denominator.f_sqrt()?)?)
    }
}

fn sum_over(counts: &Tensor, dimension: i64) -> Result<Tensor, TchError> {
    counts.f_sum_dim_intlist(dimension, false, None)
}

/// Returns the value for two classes of which one is never predicted or never the target: what torchmetrics' distinctions amount to.
fn of_two_without_variance(counts: &Tensor) -> Result<Tensor, TchError> {
    let cell = |index| counts.f_reshape([-1])?.f_select(0, index);
    let [tn, fp, fn_, tp] = [cell(0)?, cell(1)?, cell(2)?, cell(3)?];
    let epsilon = f64::from(f32::EPSILON);
    let (right, wrong) = (tp.f_add(&tn)?, fp.f_add(&fn_)?);
    let agreement = right.f_sub(&wrong)?;
    let sums = [(&tp, &fp), (&tp, &fn_), (&tn, &fp), (&tn, &fn_)];
    let sums = sums.map(|(one, other)| one.f_add(other)?.f_add_scalar(epsilon));
    let mut product = agreement.f_ones_like()?;
    for sum in sums {
        product = product.f_mul(&sum?)?;
    }
    let value = agreement.f_mul_scalar(epsilon.sqrt())?.f_div(&product.f_sqrt()?)?;
    let value = value.f_masked_fill(&wrong.f_eq(0)?.f_logical_and(&right.f_ne(0)?)?, 1.0)?;
    value.f_masked_fill(&right.f_eq(0)?.f_logical_and(&wrong.f_ne(0)?)?, -1.0)
}
