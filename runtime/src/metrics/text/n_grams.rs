//! Sequences of words in texts, which references are compared by.

use std::collections::HashMap;

use crate::counted::counted;
use crate::metrics::error::Refusal;
use crate::metrics::inputs::require;

/// Implements the updates of a metric of predicted texts and their references.
macro_rules! compares_with_references {
    ($metric:ident) => {
        $crate::metrics::handle::handle!($metric);

        impl $metric {
            /// Adds a batch of texts, each with one or more references.
            ///
            /// # Errors
            /// [`MetricError::Batch`](crate::metrics::MetricError::Batch) if a text is without references; then nothing is added.
            pub fn update<P: AsRef<str>, R: AsRef<[T]>, T: AsRef<str>>(
                &self,
                preds: &[P],
                target: &[R],
            ) -> Result<(), $crate::metrics::MetricError> {
                self.0.update(|formula| formula.batch(preds, target))
            }

            /// Adds a batch of texts, and returns the value of only this batch.
            ///
            /// # Errors
            /// As [`update`](Self::update).
            pub fn forward<P: AsRef<str>, R: AsRef<[T]>, T: AsRef<str>>(
                &self,
                preds: &[P],
                target: &[R],
            ) -> Result<tch::Tensor, $crate::metrics::MetricError> {
                self.0.forward(|formula| formula.batch(preds, target))
            }
        }
    };
}

pub(super) use compares_with_references;

/// Returns how often each sequence of `n` words occurs.
pub(super) fn n_grams<'a, 'b>(words: &'a [&'b str], n: usize) -> HashMap<&'a [&'b str], usize> {
    let mut counts = HashMap::new();
    for n_gram in words.windows(n) {
        *counts.entry(n_gram).or_default() += 1;
    }
    counts
}

/// Checks that each prediction has its references, at least one.
pub(super) fn require_references<R: AsRef<[T]>, T>(preds: usize, target: &[R]) -> Result<(), Refusal> {
    require(preds == target.len(), || {
        let (preds, target) = (counted(preds, "prediction"), counted(target.len(), "list of references"));
        format!("it has {preds}, but {target}: each prediction needs its references")
    })?;
    let without = target.iter().position(|references| references.as_ref().is_empty());
    require(without.is_none(), || {
        format!("prediction {} has no references: give one or more", without.unwrap_or_default())
    })
}
