//! The source of a loader: a dataset, and the way its samples are joined.

use std::sync::Arc;

use super::dataset::read_each;
use super::draws::Epoch;
use super::index_plan::IndexPlan;
use super::options::Options;
use super::plan::{Plan, Share};
use super::read_at_once::ReadAtOnce;
use super::stream_plan::StreamPlan;
use super::{Batch, Collate, CollateWith, DataError, Dataset, IterableDataset, WorkerInfo};

/// The source of a [`DataLoader`](super::DataLoader): a dataset whose samples implement [`Collate`], or the result of
/// [`Dataset::collate_with`].
///
/// `Style` is [`MapStyle`] for a [`Dataset`] and [`IterableStyle`] for an [`IterableDataset`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded by this function",
    label = "not a dataset of this kind",
    note = "`DataLoader::new` and `with_workers` take a `Dataset` (`len` and `get_item`), a `TensorDataset` or a `Vec` of samples",
    note = "a loader owns its dataset: write `.clone()` after a borrowed one, which shares the tensors of a `TensorDataset`",
    note = "`DataLoader::iterable` and `iterable_with_workers` take an `IterableDataset` (`iter`)"
)]
pub trait Source<Style> {
    /// The type of the batches.
    type Batch: Batch;

    #[doc(hidden)]
    type Plan: Plan;

    #[doc(hidden)]
    fn dataset_len(&self) -> Option<usize>;

    #[doc(hidden)]
    fn plan(&self, options: &Options, epoch: Epoch) -> Result<Self::Plan, DataError>;

    #[doc(hidden)]
    fn share(&self, plan: Arc<Self::Plan>, first_batch: usize, worker: WorkerInfo) -> Share<'_, Self::Batch>;
}

/// The style of a [`Dataset`]: samples have an index.
#[derive(Debug, Clone, Copy)]
pub enum MapStyle {}

/// The style of an [`IterableDataset`]: samples form a stream.
#[derive(Debug, Clone, Copy)]
pub enum IterableStyle {}

impl<D> Source<MapStyle> for D
where
    D: Dataset,
    D::Sample: Collate,
{
    type Batch = <D::Sample as Collate>::Batch;
    type Plan = IndexPlan;

    fn dataset_len(&self) -> Option<usize> {
        Some(self.len())
    }

    fn plan(&self, options: &Options, epoch: Epoch) -> Result<IndexPlan, DataError> {
        IndexPlan::new(options, self.len(), epoch)
    }

    fn share(&self, plan: Arc<IndexPlan>, first_batch: usize, worker: WorkerInfo) -> Share<'_, Self::Batch> {
        match self.samples_at_once() {
            0 => plan.share(first_batch, worker, |indices| self.get_items(indices)),
            samples => {
                let read = |batches: &[&[usize]]| self.get_batches(batches);
                Box::new(ReadAtOnce::new(plan, first_batch, worker, samples, read))
            }
        }
    }
}

#[diagnostic::do_not_recommend]
impl<D, F, B> Source<MapStyle> for CollateWith<D, F>
where
    D: Dataset,
    F: Fn(Vec<D::Sample>) -> anyhow::Result<B>,
    B: Batch,
{
    type Batch = B;
    type Plan = IndexPlan;

    fn dataset_len(&self) -> Option<usize> {
        Some(self.dataset.len())
    }

    fn plan(&self, options: &Options, epoch: Epoch) -> Result<IndexPlan, DataError> {
        IndexPlan::new(options, self.dataset.len(), epoch)
    }

    fn share(&self, plan: Arc<IndexPlan>, first_batch: usize, worker: WorkerInfo) -> Share<'_, B> {
        plan.share(first_batch, worker, |indices| (self.collate)(read_each(&self.dataset, indices)?))
    }
}

impl<D> Source<IterableStyle> for D
where
    D: IterableDataset,
    D::Sample: Collate,
{
    type Batch = <D::Sample as Collate>::Batch;
    type Plan = StreamPlan;

    fn dataset_len(&self) -> Option<usize> {
        None
    }

    fn plan(&self, options: &Options, epoch: Epoch) -> Result<StreamPlan, DataError> {
        StreamPlan::new(options, epoch)
    }

    fn share(&self, plan: Arc<StreamPlan>, _: usize, worker: WorkerInfo) -> Share<'_, Self::Batch> {
        plan.share(worker, |epoch, worker| self.iter(epoch, worker), |samples| Ok(Collate::collate(samples)?))
    }
}

#[diagnostic::do_not_recommend]
impl<D, F, B> Source<IterableStyle> for CollateWith<D, F>
where
    D: IterableDataset,
    F: Fn(Vec<D::Sample>) -> anyhow::Result<B>,
    B: Batch,
{
    type Batch = B;
    type Plan = StreamPlan;

    fn dataset_len(&self) -> Option<usize> {
        None
    }

    fn plan(&self, options: &Options, epoch: Epoch) -> Result<StreamPlan, DataError> {
        StreamPlan::new(options, epoch)
    }

    fn share(&self, plan: Arc<StreamPlan>, _: usize, worker: WorkerInfo) -> Share<'_, B> {
        plan.share(worker, |epoch, worker| self.dataset.iter(epoch, worker), &self.collate)
    }
}
