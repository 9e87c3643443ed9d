use tch::{TchError, Tensor};

use super::outputs::Outputs;
use crate::metrics::DistReduceFx;
use crate::metrics::error::Refusal;
use crate::metrics::handle::compares;
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};

/// The linear correlation of predictions and targets: torchmetrics'
/// [`PearsonCorrCoef`](https://lightning.ai/docs/torchmetrics/stable/regression/pearson_corr_coef.html), from -1 to 1.
///
/// `update` takes predictions and targets of the same shape and any real dtype: any shape for one output, and
/// `[samples, outputs]` for several. The value is 0-dim, or `[outputs]` for several; NaN for fewer than two samples, and where predictions or
/// targets do not vary.
///
/// State: `sum_preds`, `sum_target`, `sum_squared_preds`, `sum_squared_target`, `sum_products` and `total`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, PearsonCorrCoef};
///
/// let coefficient = PearsonCorrCoef::new();
/// coefficient.update(&Tensor::from_slice(&[1.0f32, 2.0]), &Tensor::from_slice(&[-1.0f32, -3.0]))?;
/// coefficient.update(&Tensor::from_slice(&[3.0f32]), &Tensor::from_slice(&[-2.0f32]))?;
/// assert!((coefficient.compute()?.double_value(&[]) + 0.5).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct PearsonCorrCoef(Shared<Correlation>);

compares!(PearsonCorrCoef);

impl Default for PearsonCorrCoef {
    fn default() -> Self {
        Self::new()
    }
}

impl PearsonCorrCoef {
    /// Creates a metric of one output.
    pub fn new() -> Self {
        Self(Shared::new(Correlation { outputs: Outputs(1) }))
    }

    /// Sets the number of outputs, each with its own coefficient. Default 1.
    pub fn num_outputs(self, num_outputs: i64) -> Self {
        Self(self.0.with(|formula| formula.outputs = Outputs(num_outputs)))
    }
}

#[derive(Clone)]
struct Correlation {
    outputs: Outputs,
}

/// A variance below this fraction of the mean square is that of rounding.
const NEGLIGIBLE: f64 = 1e-12;

impl Correlation {
    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        let compared = self.outputs.compare(preds, target)?;
        // a variance is the difference of two sums, which would lose too many digits in f32
        let kind = real(target.device());
        let (preds, target) = (compared.preds.f_to_kind(kind)?, compared.target.f_to_kind(kind)?);
        let products = [preds.f_square()?, target.f_square()?, preds.f_mul(&target)?];
        let sums = [&preds, &target].into_iter().chain(&products);
        let sums: Result<Vec<Tensor>, TchError> = sums.map(|tensor| tensor.f_sum_dim_intlist(0, false, kind)).collect();
        Ok(sums?.into_iter().chain([compared.samples()?]).collect())
    }
}

impl Formula for Correlation {
    fn name(&self) -> &'static str {
        "PearsonCorrCoef"
    }

    fn slots(&self) -> Vec<Slot> {
        let sums = ["sum_preds", "sum_target", "sum_squared_preds", "sum_squared_target", "sum_products"];
        let sums = sums.map(|name| Slot::real(name, DistReduceFx::Sum, self.outputs.shape()));
        sums.into_iter().chain([Slot::count("total", [])]).collect()
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.outputs.validate()
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let [preds, target, squared_preds, squared_target, products, samples] =
            [0, 1, 2, 3, 4, 5].map(|index| &state[index]);
        let covariance =
            |products: &Tensor, one: &Tensor, other: &Tensor| products.f_sub(&one.f_mul(other)?.f_div(samples)?);
        let of_preds = covariance(squared_preds, preds, preds)?;
        let of_target = covariance(squared_target, target, target)?;
        let none = |variance: &Tensor, squared: &Tensor| variance.f_le_tensor(&squared.f_mul_scalar(NEGLIGIBLE)?);
        let is_constant = none(&of_preds, squared_preds)?.f_logical_or(&none(&of_target, squared_target)?)?;
        let both = covariance(products, preds, target)?;
        let coefficient = both.f_div(&of_preds.f_mul(&of_target)?.f_sqrt()?)?.f_clamp(-1.0, 1.0)?;
        coefficient.f_masked_fill(&is_constant, f64::NAN)
    }
}
