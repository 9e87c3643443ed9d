//! Data on its way into a training loop: a [`Dataset`] answers with samples, [`Collate`] joins samples
//! into a [`Batch`], and a [`DataLoader`] deals the batches of an epoch in a reproducible order.
//!
//! The names and the semantics are those of
//! [`torch.utils.data`](https://docs.pytorch.org/docs/stable/data.html).
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
//!         let (images, labels) = batch?.to_device(tch::Device::Cpu)?;
//!         assert_eq!(images.size()[0], labels.size()[0]);
//!     }
//! }
//! # Ok::<(), anyhow::Error>(())
//! ```

mod batch;
mod collate;
mod dataset;
mod error;
mod loader;
mod loaders;
mod order;
mod split;
mod tensor_dataset;

pub use batch::Batch;
pub use collate::Collate;
pub use dataset::Dataset;
pub use error::DataError;
pub use loader::{Batches, DataLoader};
pub use loaders::DataLoaders;
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
/// assert_eq!(batch.to_device(Device::Cpu)?.tokens.size(), [3, 7]);
/// # Ok::<(), tch::TchError>(())
/// ```
pub use tch_lightning_macros::Batch;
pub use tensor_dataset::{TensorDataset, TensorTuple};
