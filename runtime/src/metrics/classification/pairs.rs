//! The number of elements for each pair of a true and a predicted class.

use tch::{TchError, Tensor};

use super::decisions::Decisions;
use super::inputs::{Inputs, TaskKind};
use crate::metrics::error::Refusal;
use crate::metrics::slot::Slot;

impl Inputs {
    /// The slots of the counts and of the labels out of range.
    pub(super) fn slots_of_pairs(&self) -> Vec<Slot> {
        vec![Slot::count("confmat", self.shape_of_pairs()), Slot::out_of_range()]
    }

    /// Returns the state of a batch. Rows are the true classes and columns the predicted.
    pub(super) fn pairs(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        self.check(preds, target)?;
        if self.is_multiclass() {
            let decisions = Decisions::read(self, preds, target)?;
            return Ok(vec![decisions.confusion()?, decisions.out_of_range]);
        }
        let [counts, out_of_range] = self.labelwise_scores(preds, target)?;
        let row = |index| -> Result<Tensor, TchError> { counts.f_select(0, index) };
        let [tp, fp, tn, fn_] = [row(0)?, row(1)?, row(2)?, row(3)?];
        Ok(vec![Tensor::f_stack(&[tn, fp, fn_, tp], 1)?.f_reshape(self.shape_of_pairs())?, out_of_range])
    }

    fn shape_of_pairs(&self) -> Vec<i64> {
        match self.task {
            TaskKind::Binary => vec![2, 2],
            TaskKind::Multiclass(classes) => vec![classes, classes],
            TaskKind::Multilabel(labels) => vec![labels, 2, 2],
        }
    }
}
