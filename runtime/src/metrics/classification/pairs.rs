//! Metrics of the number of elements for each pair of a true and a predicted class.

use tch::{TchError, Tensor};

use super::decisions::Decisions;
use super::inputs::{Inputs, TaskKind};
use crate::metrics::error::Refusal;
use crate::metrics::labels::require_in_range;
use crate::metrics::shared::Formula;
use crate::metrics::slot::Slot;

/// A metric of these counts.
#[derive(Clone)]
pub(super) struct Pairs<S> {
    pub(super) inputs: Inputs,
    pub(super) statistic: S,
}

/// What a metric computes from the counts, with its options.
pub(super) trait Statistic: Clone + Default + Send + 'static {
    /// The metric's name.
    const NAME: &'static str;

    /// Returns the value of counts, `[classes, classes]`, or `[labels, 2, 2]` for the multilabel task.
    fn value(&self, counts: &Tensor) -> Result<Tensor, TchError>;
}

impl<S: Statistic> Pairs<S> {
    pub(super) fn new(inputs: Inputs) -> Self {
        Self { inputs, statistic: S::default() }
    }

    /// Returns the state of a batch. Rows are the true classes and columns the predicted.
    pub(super) fn batch(&self, preds: &Tensor, target: &Tensor) -> Result<Vec<Tensor>, Refusal> {
        self.inputs.check(preds, target)?;
        if self.inputs.is_multiclass() {
            let decisions = Decisions::read(&self.inputs, preds, target)?;
            return Ok(vec![decisions.confusion()?, decisions.out_of_range]);
        }
        let [counts, out_of_range] = self.inputs.labelwise_scores(preds, target)?;
        let row = |index| counts.f_select(0, index);
        let [tp, fp, tn, fn_] = [row(0)?, row(1)?, row(2)?, row(3)?];
        Ok(vec![Tensor::f_stack(&[tn, fp, fn_, tp], 1)?.f_reshape(self.shape())?, out_of_range])
    }

    fn shape(&self) -> Vec<i64> {
        match self.inputs.task {
            TaskKind::Binary => vec![2, 2],
            TaskKind::Multiclass(classes) => vec![classes, classes],
            TaskKind::Multilabel(labels) => vec![labels, 2, 2],
        }
    }
}

impl<S: Statistic> Formula for Pairs<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot::count("confmat", self.shape()), Slot::out_of_range()]
    }

    fn validate(&self) -> Result<(), Refusal> {
        self.inputs.validate()
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        self.statistic.value(&state[0])
    }

    fn check(&self, state: &[Tensor]) -> Result<(), Refusal> {
        require_in_range(&state[1], &self.inputs.range())
    }
}
