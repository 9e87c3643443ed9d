//! The binary and the multilabel task: an element has, or does not have, each of one or several labels.

use tch::{Kind, TchError, Tensor};

use super::inputs::{Inputs, TaskKind};
use super::probabilities::Normalization;
use crate::metrics::inputs::is_floating;

/// Targets as a matrix, `[elements, labels]`. Elements that are neither positive nor negative are not counted.
pub(super) struct Truth {
    pub(super) positive: Tensor,
    pub(super) negative: Tensor,
    /// The number of targets that are neither 0 nor 1 nor ignored, 0-dim i64.
    pub(super) out_of_range: Tensor,
}

impl Inputs {
    /// Reshapes a tensor `[batch, labels, …]`, or of any shape for the binary task, to a matrix `[elements, labels]`.
    pub(super) fn by_label(&self, tensor: &Tensor) -> Result<Tensor, TchError> {
        match self.task {
            TaskKind::Binary => tensor.f_reshape([-1, 1]),
            TaskKind::Multiclass(columns) | TaskKind::Multilabel(columns) => {
                tensor.f_movedim([1], [-1])?.f_reshape([-1, columns])
            }
        }
    }

    /// Reads targets. Elements that are not `valid`, `[elements, labels]`, are out of range.
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

    /// Returns the counts of labels, `[4, labels]`: true positives, false positives, true negatives and false negatives; and the
    /// number of labels out of range.
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
