use tch::{Kind, TchError, Tensor};

use super::classifies_exclusively;
use super::decisions::bins;
use super::inputs::Inputs;
use super::probabilities::Normalization;
use crate::metrics::error::{Refusal, require_option};
use crate::metrics::inputs::require_floating;
use crate::metrics::labels::{Labels, require_in_range};
use crate::metrics::shared::{Formula, Shared};
use crate::metrics::slot::{Slot, real};
use crate::metrics::{DistReduceFx, Multiclass, Task};

/// The difference between the probabilities that a model states and the frequencies with which it is right: torchmetrics'
/// [`CalibrationError`](https://lightning.ai/docs/torchmetrics/stable/classification/calibration_error.html), the expected calibration error.
/// 0 for a model that is right in 80 % of the cases to which it gives 80 %.
///
/// It is of the [`Binary`](crate::metrics::Binary) task, with the probability of class 1 and its frequency, and of the [`Multiclass`] task,
/// with the probability of the class with the highest score. Predictions are probabilities or logits. Options: `n_bins`, `norm` and
/// `ignore_index`. The value is 0-dim.
///
/// State: `count_bin`, `conf_bin` and `acc_bin`, the number of elements with probabilities in each bin, the sum of their probabilities, and the
/// number of those that are right; and `out_of_range`.
///
/// ```
/// use tch::Tensor;
/// use tch_lightning::metrics::{CalibrationError, Metric};
///
/// let error = CalibrationError::binary().n_bins(10);
/// error.update(&Tensor::from_slice(&[0.75f32, 0.75, 0.75, 0.75]), &Tensor::from_slice(&[1i64, 0, 1, 0]))?;
/// // it says 75 %, where it is 50 %
/// assert!((error.compute()?.double_value(&[]) - 0.25).abs() < 1e-6);
/// # Ok::<(), tch_lightning::metrics::MetricError>(())
/// ```
pub struct CalibrationError<T = Multiclass>(Shared<Calibration, T>);

classifies_exclusively!(CalibrationError, Calibration::new);

impl<T: Task> CalibrationError<T> {
    /// Sets the number of bins of equal width between 0 and 1. Default 15.
    pub fn n_bins(self, n_bins: i64) -> Self {
        Self(self.0.with(|formula| formula.n_bins = n_bins))
    }

    /// Sets how the differences of the bins become one. Default [`CalibrationNorm::L1`].
    pub fn norm(self, norm: CalibrationNorm) -> Self {
        Self(self.0.with(|formula| formula.norm = norm))
    }
}

/// How the differences of the bins of a [`CalibrationError`] become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CalibrationNorm {
    /// The mean, weighted by the number of elements: the expected calibration error.
    #[default]
    L1,
    /// The root of the mean square.
    L2,
    /// The largest: the maximum calibration error.
    Max,
}

#[derive(Clone)]
struct Calibration {
    inputs: Inputs,
    n_bins: i64,
    norm: CalibrationNorm,
}

impl Calibration {
    fn new(inputs: Inputs) -> Self {
        Self { inputs, n_bins: 15, norm: CalibrationNorm::default() }
    }

    fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        require_floating("predictions", preds)?;
        self.inputs.check(preds, target)?;
        let scores = self.inputs.by_label(preds)?.f_to_kind(Kind::Float)?;
        let (confidences, right, counted, out_of_range) = if self.inputs.is_multiclass() {
            let (confidences, predicted) = Normalization::Softmax.probabilities(&scores)?.f_max_dim(1, false)?;
            let labels = Labels::read(target, self.inputs.columns(), self.inputs.ignore_index)?;
            (confidences, predicted.f_eq_tensor(&labels.index)?, labels.counted, labels.out_of_range)
        } else {
            let confidences = Normalization::Sigmoid.probabilities(&scores)?.f_reshape([-1])?;
            let truth = self.inputs.truth(target, None)?;
            let counted = truth.positive.f_logical_or(&truth.negative)?;
            (confidences, truth.positive.f_reshape([-1])?, counted.f_reshape([-1])?, truth.out_of_range)
        };
        let device = confidences.device();
        // as in torchmetrics, a probability of exactly 1 is in a bin of its own
        let borders = Tensor::f_linspace(0, 1, self.n_bins + 1, (Kind::Float, device))?;
        let index = confidences.f_contiguous()?.f_bucketize(&borders, false, true)?.f_sub_scalar(1)?;
        let index = index.f_clamp(0, self.n_bins)?;
        let counts = bins(self.n_bins + 1, &index, &counted.f_to_kind(Kind::Int64)?)?;
        let right = bins(self.n_bins + 1, &index, &right.f_logical_and(&counted)?.f_to_kind(Kind::Int64)?)?;
        let counted = confidences.f_to_kind(real(device))?.f_mul(&counted)?;
        let sums = Tensor::f_zeros([self.n_bins + 1], (real(device), device))?.f_scatter_add(0, &index, &counted)?;
        Ok(vec![counts, sums, right, out_of_range])
    }
}

impl Formula for Calibration {
    fn name(&self) -> &'static str {
        "CalibrationError"
    }

    fn slots(&self) -> Vec<Slot> {
        let bins = [self.n_bins.max(0) + 1];
        let sums = Slot::real("conf_bin", DistReduceFx::Sum, bins);
        vec![Slot::count("count_bin", bins), sums, Slot::count("acc_bin", bins), Slot::out_of_range()]
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.inputs.validate()?;
        require_option(self.n_bins >= 1, || format!("n_bins must be 1 or more, but it is {}", self.n_bins))
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        let kind = real(state[0].device());
        let (counts, right) = (state[0].f_to_kind(kind)?, state[2].f_to_kind(kind)?);
        let gaps = right.f_sub(&state[1])?.f_abs()?.f_div(&counts)?.f_masked_fill(&counts.f_eq(0)?, 0.0)?;
        let shares = counts.f_div(&counts.f_sum(kind)?)?;
        match self.norm {
            CalibrationNorm::L1 => gaps.f_mul(&shares)?.f_sum(kind),
            CalibrationNorm::L2 => gaps.f_square()?.f_mul(&shares)?.f_sum(kind)?.f_sqrt(),
            CalibrationNorm::Max => gaps.f_max(),
        }
    }

    fn check(&self, state: &[Tensor]) -> Result<(), Refusal> {
        require_in_range(&state[3], &self.inputs.range())
    }
}
