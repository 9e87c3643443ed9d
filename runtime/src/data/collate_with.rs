//! A dataset with a collate function.

/// A dataset whose samples are joined by a function: PyTorch's `collate_fn`. Returned by
/// [`Dataset::collate_with`](super::Dataset::collate_with) and
/// [`IterableDataset::collate_with`](super::IterableDataset::collate_with).
#[derive(Debug, Clone)]
pub struct CollateWith<D, F> {
    pub(super) dataset: D,
    pub(super) collate: F,
}

impl<D, F> CollateWith<D, F> {
    pub(super) fn new(dataset: D, collate: F) -> Self {
        Self { dataset, collate }
    }
}
