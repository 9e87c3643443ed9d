//! Predictions of one of several classes.

use tch::{Kind, TchError, Tensor};

use super::inputs::Inputs;
use crate::metrics::inputs::is_floating;
use crate::metrics::labels::{Labels, in_range};

/// Predicted and true classes, i64 `[elements]`.
pub(super) struct Decisions {
    predicted: Tensor,
    target: Tensor,
    /// 1 for elements that are counted and 0 for others, whose classes are 0: i64 `[elements]`.
    counted: Tensor,
    /// The number of labels out of range, 0-dim i64.
    pub(super) out_of_range: Tensor,
    classes: i64,
}

impl Decisions {
    pub(super) fn read(inputs: &Inputs, preds: &Tensor, target: &Tensor) -> Result<Self, TchError> {
        let classes = inputs.columns();
        let Labels { index, counted, out_of_range } = Labels::read(target, classes, inputs.ignore_index)?;
        if is_floating(preds) {
            let predicted = decide(preds, target, inputs.top_k)?.f_reshape([-1])?;
            let counted = counted.f_to_kind(Kind::Int64)?;
            return Ok(Self { predicted: predicted.f_mul(&counted)?, target: index, counted, out_of_range, classes });
        }
        let predicted = preds.f_to_kind(Kind::Int64)?.f_reshape([-1])?;
        let valid = counted.f_logical_and(&in_range(&predicted, classes)?)?.f_to_kind(Kind::Int64)?;
        let invalid = counted.f_sum(Kind::Int64)?.f_sub(&valid.f_sum(Kind::Int64)?)?;
        Ok(Self {
            predicted: predicted.f_mul(&valid)?,
            target: index.f_mul(&valid)?,
            counted: valid,
            out_of_range: out_of_range.f_add(&invalid)?,
            classes,
        })
    }

    /// Counts of classes, `[4, classes]`: true positives, false positives, true negatives and false negatives.
    pub(super) fn stat_scores(&self) -> Result<Tensor, TchError> {
        let hits = self.predicted.f_eq_tensor(&self.target)?.f_mul(&self.counted)?;
        let true_positives = bins(self.classes, &self.target, &hits)?;
        let false_positives = bins(self.classes, &self.predicted, &self.counted)?.f_sub(&true_positives)?;
        let false_negatives = bins(self.classes, &self.target, &self.counted)?.f_sub(&true_positives)?;
        let others = true_positives.f_add(&false_positives)?.f_add(&false_negatives)?;
        let true_negatives = self.counted.f_sum(Kind::Int64)?.f_sub(&others)?;
        Tensor::f_stack(&[true_positives, false_positives, true_negatives, false_negatives], 0)
    }

    /// Counts of pairs, `[classes, classes]`: rows are true classes, columns the predicted.
    pub(super) fn confusion(&self) -> Result<Tensor, TchError> {
        let pair = self.target.f_mul_scalar(self.classes)?.f_add(&self.predicted)?;
        bins(self.classes * self.classes, &pair, &self.counted)?.f_reshape([self.classes, self.classes])
    }

    /// Counts of classes in each of `samples` samples, `[samples, classes]`: elements with the class that were predicted to have it, elements that
    /// were predicted to have it, and elements with it.
    pub(super) fn by_sample(&self, samples: i64) -> Result<[Tensor; 3], TchError> {
        let options = (Kind::Int64, self.target.device());
        let first = Tensor::f_arange(samples, options)?.f_mul_scalar(self.classes)?.f_unsqueeze(1)?;
        let count = |classes: &Tensor, amounts: &Tensor| -> Result<Tensor, TchError> {
            let elements = if samples == 0 { 0 } else { classes.size()[0] / samples };
            let index = classes.f_reshape([samples, elements])?.f_add(&first)?.f_reshape([-1])?;
            bins(samples * self.classes, &index, amounts)?.f_reshape([samples, self.classes])
        };
        let hits = self.predicted.f_eq_tensor(&self.target)?.f_mul(&self.counted)?;
        Ok([count(&self.target, &hits)?, count(&self.predicted, &self.counted)?, count(&self.target, &self.counted)?])
    }
}

/// The class with the highest of the scores `[batch, classes, …]`, or the target if it is among the `top_k` highest.
fn decide(scores: &Tensor, target: &Tensor, top_k: i64) -> Result<Tensor, TchError> {
    if top_k == 1 {
        return scores.f_argmax(1, false);
    }
    let (_, highest) = scores.f_topk(top_k, 1, true, true)?;
    let among = highest.f_eq_tensor(&target.f_unsqueeze(1)?)?.f_any_dim(1, false)?;
    target.f_to_kind(Kind::Int64)?.f_where_self(&among, &highest.f_select(1, 0)?)
}

/// Returns the sum of the `amounts` of each bin, i64 `[bins]`. `bincount` would wait for the device, for the number of bins.
pub(super) fn bins(bins: i64, index: &Tensor, amounts: &Tensor) -> Result<Tensor, TchError> {
    Tensor::f_zeros([bins], (Kind::Int64, index.device()))?.f_scatter_add(0, index, amounts)
}
