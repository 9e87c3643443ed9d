//! Datasets, samplers and loaders: a [`Dataset`] returns samples, [`Collate`] joins samples into a [`Batch`], and a
//! [`DataLoader`] yields the batches of an epoch in a reproducible order.
//!
//! The names and the semantics are those of
//! [`torch.utils.data`](https://docs.pytorch.org/docs/stable/data.html).
//!
//! | Task | Items |
//! |---|---|
//! | samples with an index | [`Dataset`], [`TensorDataset`], [`Subset`], [`random_split`], [`ConcatDataset`] |
//! | samples of plain numbers, without tensors | [`Collate`], [`#[derive(Collate)]`](derive@Collate) |
//! | tokens in a file that is mapped into memory | [`TokenFile`] |
//! | columns and rows of Parquet files | `ParquetFile`, with the feature `parquet` |
//! | a stream of samples | [`IterableDataset`], [`ChainDataset`] |
//! | the order of the samples | [`Sampler`], [`RandomSampler`], [`WeightedRandomSampler`], [`SubsetRandomSampler`], [`BatchSampler`] |
//! | batches of sentences of similar length | [`LengthGroupedSampler`], [`TokenBudgetSampler`] |
//! | several processes | [`DistributedSampler`] |
//! | reproducible random numbers | tch's generators, [`random_seed`], [`run_seed`] |
//! | threads that read ahead | [`DataLoader::with_workers`] |
//! | custom collation | [`Dataset::collate_with`], or [`Collate`] for your own type |
//! | several loaders at once | [`CombinedLoader`] |
//! | the shapes, dtypes and values of batches | [`#[derive(Batch)]`](derive@Batch) with `#[batch("N 3 H W", f32)]` |
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
mod contract;
mod current_item;
mod dataset;
mod device_batches;
mod draws;
mod element;
mod error;
mod finish;
#[cfg(feature = "images")]
mod images;
mod index_plan;
mod iterable;
mod loader;
mod loaders;
mod options;
mod order;
#[cfg(feature = "parquet")]
mod parquet;
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
mod token_file;
mod workers;
mod written_otherwise;

pub use batch::Batch;
pub(crate) use batch::tensors_of;
pub use batches::Batches;
pub use collate::Collate;
#[doc(hidden)]
pub use collate::error_of_field;
pub use collate_with::CollateWith;
pub use combined::{Combine, CombinedLoader};
pub use concat::ConcatDataset;
pub use contract::ContractViolation;
#[doc(hidden)]
pub use contract::{Contract, Dimension, Number, Range, Sizes};
pub use dataset::Dataset;
pub use device_batches::DeviceBatches;
pub use draws::random_seed;
pub use element::Element;
pub use error::DataError;
#[cfg(feature = "images")]
pub use images::{ImageError, ImageFolder, ImageTransforms};
pub use iterable::{ChainDataset, IterableDataset, WorkerInfo};
pub use loader::DataLoader;
pub use loaders::DataLoaders;
#[cfg(feature = "parquet")]
pub use parquet::{ParquetError, ParquetFile, ParquetRows};
pub(crate) use samplers::PartOfOrder;
pub use samplers::{
    BatchSampler, DistributedSampler, LengthGroupedSampler, RandomSampler, Sampler, SequentialSampler,
    SubsetRandomSampler, TokenBudgetSampler, WeightedRandomSampler,
};
pub(crate) use saved_loader::SavedLoader;
pub use seed::run_seed;
pub(crate) use seed::{Seed, seed_was_chosen};
pub use source::{IterableStyle, MapStyle, Source};
pub use split::{SplitParts, Subset, random_split};
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
///
/// # Contracts
/// A field with `#[batch("N 3 H W", f32, 0.0..=1.0)]` is compared with these sizes, this dtype and this range of values as soon as a batch is
/// read, before it is copied to a device. Each of the three can be left out. A size is a number, a name, which stands for one size in all
/// fields of the batch, `_` for any size, or `...` for any number of dimensions. A dtype is `f16`, `bf16`, `f32`, `f64`, `u8`, `i8`, `i16`, `i32`,
/// `i64` or `bool`. The error names the field, the sample and the value, where a GPU would say "device-side assert triggered".
///
/// ```
/// use tch_lightning::data::Dataset as _;
/// use tch_lightning::prelude::*;
///
/// #[derive(Batch)]
/// struct Images {
///     #[batch("N 1 28 28", f32, 0.0..=1.0)]
///     pixels: Tensor,
///     #[batch("N", i64, 0..10)]
///     labels: Tensor,
/// }
///
/// let samples: Vec<(f32, i64)> = vec![(0.5, 3), (0.1, 10)];
/// let loader = DataLoader::new(samples.collate_with(|samples| {
///     let (values, labels): (Vec<f32>, Vec<i64>) = samples.into_iter().unzip();
///     let pixels = Tensor::from_slice(&values).view([-1, 1, 1, 1]).repeat([1, 1, 28, 28]);
///     Ok(Images { pixels, labels: Tensor::from_slice(&labels) })
/// }));
/// let mut batches = loader.epoch(0)?;
/// assert!(batches.next().unwrap().is_ok());
/// let error = batches.next().unwrap().err().unwrap().to_string();
/// assert_eq!(
///     error,
///     "batch 1 does not keep to its contract: `labels` of sample 1 of the dataset is 10, and must be in 0..10"
/// );
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// [`DataLoader::check_contract`] turns the comparison off.
///
/// # Other fields
/// A field with `#[batch(skip)]` is passed on unchanged, whatever its type. Type parameters must be batches if a field that is not a
/// `PhantomData` has them.
pub use tch_lightning_macros::Batch;
/// Joins structs of plain values into a struct of tensors: implements [`Collate`] for a struct. `#[collate(batch = …)]` names the batch,
/// a struct with the same fields, each of the batch of the sample's field.
///
/// ```
/// use tch_lightning::prelude::*;
///
/// #[derive(Clone, Collate)]
/// #[collate(batch = Measurements)]
/// struct Measurement {
///     values: [f32; 32],
///     label: i64,
/// }
///
/// #[derive(Batch)]
/// struct Measurements {
///     #[batch("N 32", f32)]
///     values: Tensor,
///     #[batch("N", i64, 0..10)]
///     label: Tensor,
/// }
///
/// let samples = vec![Measurement { values: [0.5; 32], label: 3 }; 100];
/// let loader = DataLoader::new(samples).batch_size(64);
/// let Measurements { values, label } = loader.epoch(0)?.next().unwrap()?;
/// assert_eq!((values.size(), label.size()), (vec![64, 32], vec![64]));
/// # Ok::<(), tch_lightning::data::DataError>(())
/// ```
///
/// The numbers are copied once, into the tensors of the batch. A batch with a field that samples lack implements [`Collate::collate`] by hand.
pub use tch_lightning_macros::Collate;
pub use tensor_dataset::{TensorDataset, TensorTuple};
pub use token_file::{Token, TokenDataset, TokenFile};
