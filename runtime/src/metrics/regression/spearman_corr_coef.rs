use tch::{TchError, Tensor};

use super::outputs::Outputs;
use crate::metrics::DistReduceFx;
use crate::metrics::error::Refusal;
use crate::metrics::handle::compares;
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};

/// The correlation of the ranks of predictions and targets: torchmetrics'
/// [`SpearmanCorrCoef`](https://lightning.ai/docs/torchmetrics/stable/regression/spearman_corr_coef.html), 1 if larger predictions have larger
/// targets throughout, and -1 if they have smaller ones.
///
/// `update` takes predictions and targets of the same shape and any real dtype: any shape for one output, and
/// `[samples, outputs]` for several. The value is 0-dim, or `[outputs]` for several. Equal values have the mean of their ranks; the value is 0
/// where predictions or targets do not vary.
///
/// State: all `preds` and `target`, 16 bytes for a sample.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, SpearmanCorrCoef};
///
/// let coefficient = SpearmanCorrCoef::new();
/// coefficient.update(&Tensor::from_slice(&[1.0f32, 20.0]), &Tensor::from_slice(&[0.1f32, 0.2]))?;
/// coefficient.update(&Tensor::from_slice(&[300.0f32]), &Tensor::from_slice(&[0.15f32]))?;
/// // the ranks 1, 2, 3 and 1, 3, 2
/// assert!((coefficient.compute()?.double_value(&[]) - 0.5).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct SpearmanCorrCoef(Shared<RankCorrelation>);

compares!(SpearmanCorrCoef);

impl Default for SpearmanCorrCoef {
    fn default() -> Self {
        Self::new()
    }
}

impl SpearmanCorrCoef {
    /// Creates a metric of one output.
    pub fn new() -> Self {
        Self(Shared::new(RankCorrelation { outputs: Outputs(1) }))
    }

    /// Sets the number of outputs, each with its own coefficient. Default 1.
    pub fn num_outputs(self, num_outputs: i64) -> Self {
        Self(self.0.with(|formula| formula.outputs = Outputs(num_outputs)))
    }
}

#[derive(Clone)]
struct RankCorrelation {
    outputs: Outputs,
}

impl RankCorrelation {
    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        let compared = self.outputs.compare(preds, target)?;
        let kept = |tensor: &Tensor| tensor.f_to_dtype(real(tensor.device()), false, true);
        Ok(vec![kept(&compared.preds)?, kept(&compared.target)?])
    }
}

impl Formula for RankCorrelation {
    fn name(&self) -> &'static str {
        "SpearmanCorrCoef"
    }

    fn slots(&self) -> Vec<Slot> {
        ["preds", "target"].map(|name| Slot::real(name, DistReduceFx::Cat, self.outputs.shape())).into()
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.outputs.validate()
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let kind = state[0].kind();
        // libtorch cannot search in nothing
        if state[0].numel() == 0 {
            return Tensor::f_full(self.outputs.shape(), f64::NAN, (kind, state[0].device()));
        }
        let (preds, target) = (centred_ranks(&state[0])?, centred_ranks(&state[1])?);
        let sum = |products: Tensor| products.f_sum_dim_intlist(-1, false, kind);
        let variances = sum(preds.f_square()?)?.f_mul(&sum(target.f_square()?)?)?;
        let coefficient = sum(preds.f_mul(&target)?)?.f_div(&variances.f_sqrt()?)?.f_clamp(-1.0, 1.0)?;
        coefficient.f_masked_fill(&variances.f_eq(0)?, 0.0)
    }
}

/// Returns the ranks of values `[samples]` or `[samples, outputs]` less their mean, `[samples]` or `[outputs, samples]`.
fn centred_ranks(values: &Tensor) -> Result<Tensor, TchError> {
    let values = if values.dim() == 2 { values.f_transpose(0, 1)? } else { values.shallow_clone() };
    let (values, samples) = (values.f_contiguous()?, values.size()[values.dim() - 1]);
    let (ascending, _) = values.f_sort(-1, false)?;
    let smaller = values.f_searchsorted::<&Tensor>(&ascending, false, false, "left", None)?;
    let not_larger = values.f_searchsorted::<&Tensor>(&ascending, false, true, "right", None)?;
    // the ranks of equal values are from `smaller` + 1 to `not_larger`
    let twice = smaller.f_add(&not_larger)?.f_sub_scalar(samples)?;
    twice.f_to_kind(values.kind())?.f_div_scalar(2)
}
