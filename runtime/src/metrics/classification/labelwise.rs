//! Labels that an element has or has not: one of them for the binary task, several for the multilabel one.

use tch::{Kind, TchError, Tensor};

use super::probabilities::Normalization;
use super::reading::{Question, Reading};
use crate::metrics::inputs::is_floating;

/// Targets as a matrix, `[elements, labels]`. What is neither positive nor negative is not counted.
pub(super) struct Truth {
    pub(super) positive: Tensor,
    pub(super) negative: Tensor,
    /// How many are neither 0 nor 1 nor to be ignored, 0-dim i64.
    pub(super) out_of_range: Tensor,
}

impl Reading {
    /// A tensor `[batch, labels, …]`, or of any shape for the binary task, as a matrix `[elements, labels]`.
    pub(super) fn by_label(&self, tensor: &Tensor) -> Result<Tensor, TchError> {
        match self.question {
            Question::Binary => tensor.f_reshape([-1, 1]),
            Question::Multiclass(columns) | Question::Multilabel(columns) => {
                tensor.f_movedim([1], [-1])?.f_reshape([-1, columns])
            }
        }
    }

    /// Reads targets. Elements without a valid prediction may be told by `valid`, `[elements, labels]`: they are out of range.
    pub(super) fn truth(&self, target: &Tensor, valid: Option<&Tensor>) -> Result<Truth, TchError> {
        let target = self.by_label(target)?;
        let ignored = self.ignore_index.map(|index| target.f_eq(index)).transpose()?;
        let is = |label: i64| -> Result<Tensor, TchError> {
            let mut is = target.f_eq(label)?;
            if let Some(valid) = valid {
                is = is.f_logical_and(valid)?;
            }
            match &ignored {
                Some(ignored) => is.f_logical_and(&ignored.f_logical_not()?),
                None => Ok(is),
            }
        };
        let (positive, negative) = (is(1)?, is(0)?);
        let mut allowed = positive.f_logical_or(&negative)?;
        if let Some(ignored) = &ignored {
            allowed = allowed.f_logical_or(ignored)?;
        }
        let out_of_range = allowed.f_logical_not()?.f_sum(Kind::Int64)?;
        Ok(Truth { positive, negative, out_of_range })
    }

    /// Counts of labels, `[4, labels]`: true positives, false positives, true negatives and false negatives; and of those
    /// out of range.
    pub(super) fn labelwise_scores(&self, preds: &Tensor, target: &Tensor) -> Result<[Tensor; 2], TchError> {
        let preds = self.by_label(preds)?;
        let (predicted, truth) = if is_floating(&preds) {
            let probabilities = Normalization::Sigmoid.probabilities(&preds)?;
            (probabilities.f_gt(self.threshold)?, self.truth(target, None)?)
        } else {
            let predicted = preds.f_eq(1)?;
            let valid = predicted.f_logical_or(&preds.f_eq(0)?)?;
            (predicted, self.truth(target, Some(&valid))?)
        };
        let count = |mask: &Tensor| mask.f_sum_dim_intlist(0, false, Kind::Int64);
        let true_positives = count(&predicted.f_logical_and(&truth.positive)?)?;
        let false_positives = count(&predicted.f_logical_and(&truth.negative)?)?;
        let true_negatives = count(&truth.negative)?.f_sub(&false_positives)?;
        let false_negatives = count(&truth.positive)?.f_sub(&true_positives)?;
        let counts = Tensor::f_stack(&[true_positives, false_positives, true_negatives, false_negatives], 0)?;
        Ok([counts, truth.out_of_range])
    }
}
