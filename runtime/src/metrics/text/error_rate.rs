//! The number of edits that turn predicted texts into their targets, divided by the length of the targets.

use std::hash::Hash;

use tch::{TchError, Tensor};

use crate::counted::counted;
use crate::metrics::error::Refusal;
use crate::metrics::inputs::require;
use crate::metrics::shared::Formula;
use crate::metrics::slot::{Slot, real};

#[derive(Clone)]
pub(super) struct ErrorRate {
    pub(super) of: Unit,
}

/// What an edit inserts, removes or replaces.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Word,
    Char,
}

impl ErrorRate {
    pub(super) fn batch<P: AsRef<str>, T: AsRef<str>>(
        &self,
        preds: &[P],
        target: &[T],
    ) -> Result<Vec<Tensor>, Refusal> {
        require(preds.len() == target.len(), || {
            let (preds, target) = (counted(preds.len(), "prediction"), counted(target.len(), "target"));
            format!("it has {preds}, but {target}: each text needs the other")
        })?;
        let (mut errors, mut total) = (0, 0);
        for (pred, target) in preds.iter().zip(target) {
            let (pred, target) = (pred.as_ref(), target.as_ref());
            let (edits, length) = match self.of {
                Unit::Word => edits(pred.split_whitespace(), target.split_whitespace()),
                Unit::Char => edits(pred.chars(), target.chars()),
            };
            errors += edits;
            total += length;
        }
        Ok(vec![Tensor::from(errors), Tensor::from(total)])
    }
}

/// Returns the number of edits, and the length of the target.
fn edits<U: PartialEq + Hash>(pred: impl Iterator<Item = U>, target: impl Iterator<Item = U>) -> (i64, i64) {
    let (pred, target): (Vec<U>, Vec<U>) = (pred.collect(), target.collect());
    (strsim::generic_levenshtein(&pred, &target) as i64, target.len() as i64)
}

impl Formula for ErrorRate {
    fn name(&self) -> &'static str {
        match self.of {
            Unit::Word => "WordErrorRate",
            Unit::Char => "CharErrorRate",
        }
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot::count("errors", []), Slot::count("total", [])]
    }

    fn value(&self, state: &[Tensor]) -> Result<Tensor, TchError> {
        state[0].f_to_kind(real(state[0].device()))?.f_div(&state[1])
    }
}

/// Implements a metric of predicted and true texts.
macro_rules! compares_texts {
    ($metric:ident, $unit:expr) => {
        $crate::metrics::handle::handle!($metric);

        impl Default for $metric {
            fn default() -> Self {
                Self::new()
            }
        }

        impl $metric {
            /// Creates the metric.
            pub fn new() -> Self {
                Self($crate::metrics::shared::Shared::new(ErrorRate { of: $unit }))
            }

            /// Adds a batch of texts.
            ///
            /// # Errors
            /// [`MetricError::Batch`](crate::metrics::MetricError::Batch) if the predictions are more or fewer than the targets; then nothing
            /// is added.
            pub fn update<P: AsRef<str>, T: AsRef<str>>(
                &self,
                preds: &[P],
                target: &[T],
            ) -> Result<(), $crate::metrics::MetricError> {
                self.0.update(|formula| formula.batch(preds, target))
            }

            /// Adds a batch of texts, and returns the value of only this batch.
            ///
            /// # Errors
            /// As [`update`](Self::update).
            pub fn forward<P: AsRef<str>, T: AsRef<str>>(
                &self,
                preds: &[P],
                target: &[T],
            ) -> Result<tch::Tensor, $crate::metrics::MetricError> {
                self.0.forward(|formula| formula.batch(preds, target))
            }
        }
    };
}

pub(super) use compares_texts;
