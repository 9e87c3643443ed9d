/// Datasets and their loaders, apart from the model: one object that several models can train on.
///
/// `#[lightning_datamodule]` writes the implementation from an ordinary `impl` block. Source: Lightning's
/// [`LightningDataModule`](https://lightning.ai/docs/pytorch/stable/data/datamodule.html).
pub trait LightningDataModule: DataHooks {}
