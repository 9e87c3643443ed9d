//! Datasets, samplers and loaders: a [`Dataset`] returns samples, [`Collate`] joins samples into a [`Batch`], and a
//! [`DataLoader`] yields the batches of an epoch in a reproducible order.
//!
//! The names and the semantics are those of
//! [`torch.utils.data`](https://docs.pytorch.org/docs/stable/data.html).
//!
//! | Task | Items |
//! |---|---|
//! | samples with an index | [`Dataset`], [`TensorDataset`], [`Subset`], [`random_split`], [`ConcatDataset`] |
//! | a stream of samples | [`IterableDataset`], [`ChainDataset`] |
//! | the order of the samples | [`Sampler`], [`RandomSampler`], [`WeightedRandomSampler`], [`SubsetRandomSampler`], [`BatchSampler`] |
//! | several processes | [`DistributedSampler`] |
//! | reproducible random numbers | tch's generators, [`random_seed`], [`run_seed`] |
//! | threads that read ahead | [`DataLoader::with_workers`] |
//! | custom collation | [`Dataset::collate_with`], or [`Collate`] for your own type |
//! | several loaders at once | [`CombinedLoader`] |
//! | asynchronous copies to a GPU | [`DataLoader::pin_memory`], [`Batches::prefetch_to_device`] |
//!
//! ```
//! use tch::{Kind, Tensor};
//! use tch_lightning::data::{Batch, DataLoader, TensorDataset};
//!
//! let images = Tensor::rand([100, 28, 28], (Kind::Float, tch::Device::Cpu));
//! let labels = Tensor::randint(10, [100], (Kind::Int64, tch::Device::Cpu));
//! let loader = DataLoader::new(TensorDataset::new((images, labels))?).batch_size(32).shuffle(true);
//!
//! for epoch in 0..2 {
//!     for batch in loader.epoch(epoch)? {
//!         let (images, labels) = batch?.move_to_device(tch::Device::Cpu)?;
//!         assert_eq!(images.size()[0], labels.size()[0]);
//!     }
//! }
//! # Ok::<(), anyhow::Error>(())
//! ```

mod batch;
mod batches;
mod collate;
mod collate_with;
mod combined;
mod concat;
mod current_item;
mod dataset;
mod device_batches;
mod draws;
mod error;
mod index_plan;
mod iterable;
mod loader;
mod loaders;
mod options;
mod order;
mod pinned;
mod plan;
mod read_at_once;
mod reader;
mod samplers;
mod saved_loader;
mod seed;
mod source;
mod split;
mod stream_plan;
mod tensor_dataset;
mod workers;

pub use batch::Batch;
pub use batches::Batches;
pub use collate::Collate;
pub use collate_with::CollateWith;
pub use combined::{Combine, CombinedLoader};
pub use concat::ConcatDataset;
pub use dataset::Dataset;
pub use device_batches::DeviceBatches;
pub use draws::random_seed;
pub use error::DataError;
pub use iterable::{ChainDataset, IterableDataset, WorkerInfo};
pub use loader::DataLoader;
pub use loaders::DataLoaders;
pub(crate) use samplers::PartOfOrder;
pub use samplers::{
    BatchSampler, DistributedSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler,
    WeightedRandomSampler,
};
pub(crate) use saved_loader::SavedLoader;
pub use seed::run_seed;
pub(crate) use seed::{Seed, seed_was_chosen};
pub use source::{IterableStyle, MapStyle, Source};
pub use split::{Subset, random_split, random_split_fractions};
/// ```
/// use tch_lightning::prelude::*;
///
/// #[derive(Batch)]
/// struct Sentences {
///     tokens: Tensor,       // [batch, length] i64
///     mask: Option<Tensor>, // [batch, length] bool
///     names: Vec<String>,
/// }
///
/// let tokens = Tensor::zeros([3, 7], (Kind::Int64, Device::Cpu));
/// let batch = Sentences { tokens, mask: None, names: Vec::new() };
/// assert_eq!(batch.batch_size(), Some(3));
/// assert_eq!(batch.move_to_device(Device::Cpu)?.tokens.size(), [3, 7]);
/// # Ok::<(), tch::TchError>(())
/// ```
pub use tch_lightning_macros::Batch;
pub use tensor_dataset::{TensorDataset, TensorTuple};
