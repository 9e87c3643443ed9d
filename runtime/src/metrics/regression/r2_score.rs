use tch::{TchError, Tensor};

use super::outputs::Outputs;
use crate::metrics::DistReduceFx;
use crate::metrics::error::{Refusal, require_option};
use crate::metrics::handle::compares;
use crate::metrics::inputs::require;
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};

/// The coefficient of determination R²: torchmetrics'
/// [`R2Score`](https://lightning.ai/docs/torchmetrics/stable/regression/r2_score.html), the fraction of the targets' variance
/// that the predictions explain. 1 is the best score, 0 that of the targets' mean.
///
/// `update` takes predictions and targets of the same shape and any real dtype: `[samples]` or `[samples, 1]` for one
/// output, and `[samples, outputs]` for several. The value is 0-dim, or `[outputs]` for [`MultiOutput::RawValues`] of several.
///
/// It requires two samples: with fewer, `compute` returns an error and `forward` returns NaN. As in torchmetrics, a residual
/// below 0.0001 counts as 0, and a target without variance has the score 0, or 1 without a residual.
///
/// State: `sum_squared_target`, `sum_target`, `residual` and `total`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{Metric, R2Score};
///
/// let score = R2Score::new();
/// score.update(&Tensor::from_slice(&[2.5f32, 0.0]), &Tensor::from_slice(&[3.0f32, -0.5]))?;
/// score.update(&Tensor::from_slice(&[2.0f32, 8.0]), &Tensor::from_slice(&[2.0f32, 7.0]))?;
/// assert!((score.compute()?.double_value(&[]) - 0.9486).abs() < 1e-4);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct R2Score(Shared<Determination>);

compares!(R2Score);

/// The average over the scores of several outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MultiOutput {
    /// No average: a score for each output.
    RawValues,
    /// The mean.
    #[default]
    UniformAverage,
    /// The mean, weighted by the variance of each output's targets.
    VarianceWeighted,
}

impl Default for R2Score {
    fn default() -> Self {
        Self::new()
    }
}

impl R2Score {
    /// Creates a metric of one output, without adjustment.
    pub fn new() -> Self {
        Self(Shared::new(Determination { outputs: Outputs(1), adjusted: 0, multioutput: MultiOutput::default() }))
    }

    /// Sets the number of outputs. Default 1. torchmetrics infers it from the first batch; here it is an option, so that the
    /// state has a shape before the first batch.
    pub fn num_outputs(self, num_outputs: i64) -> Self {
        Self(self.0.with(|formula| formula.outputs = Outputs(num_outputs)))
    }

    /// Adjusts the score for this number of independent regressors. Default 0: not adjusted. With as many regressors as
    /// samples less one, or more, the score is not adjusted.
    pub fn adjusted(self, adjusted: i64) -> Self {
        Self(self.0.with(|formula| formula.adjusted = adjusted))
    }

    /// Sets the average over outputs. Default [`MultiOutput::UniformAverage`].
    pub fn multioutput(self, multioutput: MultiOutput) -> Self {
        Self(self.0.with(|formula| formula.multioutput = multioutput))
    }
}

#[derive(Clone)]
struct Determination {
    outputs: Outputs,
    adjusted: i64,
    multioutput: MultiOutput,
}

/// Sums of squares below this count as 0, as in torchmetrics.
const NEGLIGIBLE: f64 = 1e-4;

impl Determination {
    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        let shape = preds.size();
        // flattening several outputs would change the variance
        require(shape.len() < 2 || (shape.len() == 2 && shape[1] == self.outputs.0), || {
            format!("its shape is {shape:?}, but with num_outputs {0} it must be [samples, {0}]", self.outputs.0)
        })?;
        let compared = self.outputs.compare(preds, target)?;
        // the variance is the difference of two sums, which would lose too many digits in f32
        let kind = real(target.device());
        let target = compared.target.f_to_kind(kind)?;
        let residual = compared.preds.f_to_kind(kind)?.f_sub(&target)?;
        let sum = |tensor: Tensor| tensor.f_sum_dim_intlist(0, false, kind);
        Ok(vec![sum(target.f_square()?)?, sum(target)?, sum(residual.f_square()?)?, compared.samples()?])
    }

    fn average(&self, scores: &Tensor, variances: &Tensor) -> Result<Tensor, TchError> {
        match self.multioutput {
            MultiOutput::RawValues => Ok(scores.shallow_clone()),
            MultiOutput::UniformAverage => scores.f_mean(None),
            MultiOutput::VarianceWeighted => variances.f_div(&variances.f_sum(None)?)?.f_mul(scores)?.f_sum(None),
        }
    }

    fn adjust(&self, score: Tensor, samples: &Tensor) -> Result<Tensor, TchError> {
        if self.adjusted == 0 {
            return Ok(score);
        }
        let freedom = samples.f_sub_scalar(self.adjusted + 1)?;
        let unexplained = score.f_neg()?.f_add_scalar(1.0)?;
        let adjusted = unexplained.f_mul(&samples.f_sub_scalar(1)?)?.f_div(&freedom)?.f_neg()?.f_add_scalar(1.0)?;
        adjusted.f_where_self(&freedom.f_gt(0)?, &score)
    }
}

impl Formula for Determination {
    fn name(&self) -> &'static str {
        "R2Score"
    }

    fn slots(&self) -> Vec<Slot> {
        let sums = ["sum_squared_target", "sum_target", "residual"];
        let sums = sums.map(|name| Slot::real(name, DistReduceFx::Sum, self.outputs.shape()));
        sums.into_iter().chain([Slot::count("total", [])]).collect()
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.outputs.validate()?;
        require_option(self.adjusted >= 0, || format!("adjusted must be 0 or more, but it is {}", self.adjusted))
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let [sum_squared, sum, residual, samples] = [0, 1, 2, 3].map(|index| &state[index]);
        let variance = sum_squared.f_sub(&sum.f_mul(&sum.f_div(samples)?)?)?;
        let none = |tensor: &Tensor| tensor.f_abs()?.f_le(NEGLIGIBLE);
        let scores = residual.f_div(&variance)?.f_neg()?.f_add_scalar(1.0)?;
        let scores = scores.f_masked_fill(&none(&variance)?, 0.0)?.f_masked_fill(&none(residual)?, 1.0)?;
        let score = self.adjust(self.average(&scores, &variance)?, samples)?;
        score.f_masked_fill(&samples.f_lt(2)?, f64::NAN)
    }

    fn check(&self, state: &[Tensor]) -> Result<(), Refusal> {
        let samples = state[3].f_int64_value(&[])?;
        if samples >= 2 {
            return Ok(());
        }
        Err(Refusal::Values(format!("it requires at least two samples, but there were {samples}")))
    }
}
