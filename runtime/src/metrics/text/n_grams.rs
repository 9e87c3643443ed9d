//! Sequences of words in texts, which references are compared by.

use std::collections::HashMap;

use crate::counted::counted;
use crate::metrics::error::Refusal;
use crate::metrics::inputs::require;

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
