//! The loaders of validation, test and prediction.

use std::slice;

use super::DataLoader;

/// One or several loaders: the return type of `val_dataloader`, `test_dataloader` and `predict_dataloader`. The position
/// of a loader is the `dataloader_idx` of the hooks.
///
/// ```
/// use tch_lightning::data::{DataLoader, DataLoaders};
///
/// let one: DataLoaders<_> = DataLoader::new(vec![1.0_f32, 2.0]).into();
/// let two: DataLoaders<_> = vec![DataLoader::new(vec![1.0_f32]), DataLoader::new(vec![2.0])].into();
/// assert_eq!((one.len(), two.len()), (1, 2));
/// ```
#[derive(Debug)]
pub struct DataLoaders<B>(Vec<DataLoader<B>>);

impl<B> DataLoaders<B> {
    /// The loaders, in the order of their `dataloader_idx`.
    pub fn iter(&self) -> slice::Iter<'_, DataLoader<B>> {
        self.0.iter()
    }

    /// The number of loaders.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no loaders.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<B> From<DataLoader<B>> for DataLoaders<B> {
    fn from(loader: DataLoader<B>) -> Self {
        Self(vec![loader])
    }
}

impl<B> From<Vec<DataLoader<B>>> for DataLoaders<B> {
    fn from(loaders: Vec<DataLoader<B>>) -> Self {
        Self(loaders)
    }
}

impl<B> From<DataLoaders<B>> for Vec<DataLoader<B>> {
    fn from(loaders: DataLoaders<B>) -> Self {
        loaders.0
    }
}

impl<'a, B> IntoIterator for &'a DataLoaders<B> {
    type Item = &'a DataLoader<B>;
    type IntoIter = slice::Iter<'a, DataLoader<B>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
