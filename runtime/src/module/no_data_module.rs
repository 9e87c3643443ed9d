use super::{Batched, DataHooks, DataHooksTable, FromHparams, HasHparams, LightningDataModule, NoHparams};
use crate::data::Batch;
use anyhow::Result;
use std::marker::PhantomData;

/// The data module of a program whose module has loaders of its own.
///
/// `Model::main()` is the program of a module with a loader for each of its steps. `Model::program::<NoDataModule<_>>()` returns that
/// program; for a module with loaders for some of its steps, `Model::main::<NoDataModule<_>>()` runs it.
///
/// ```no_run
/// use tch_lightning::module::NoDataModule;
/// use tch_lightning::prelude::*;
///
/// struct Model {
///     vs: nn::VarStore,
/// }
///
/// #[lightning_module]
/// impl Model {
///     fn new() -> Self {
///         Self { vs: nn::VarStore::new(Device::Cpu) }
///     }
///
///     fn parameters(&mut self) -> &mut nn::VarStore {
///         &mut self.vs
///     }
///
///     fn predict_step(&self, batch: &Tensor) -> Tensor {
///         batch * 2.0
///     }
///
///     fn predict_dataloader(&mut self) -> Result<DataLoader<Tensor>> {
///         Ok(DataLoader::new(TensorDataset::new(Tensor::from_slice(&[1.0, 2.0]))?))
///     }
/// }
///
/// fn main() -> ExitCode {
///     Model::program::<NoDataModule<_>>().run()
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDataModule<B>(PhantomData<fn() -> B>);

impl<B: Batch> Batched for NoDataModule<B> {
    type Batch = B;
}

impl<B: Batch> DataHooks for NoDataModule<B> {
    const TABLE: DataHooksTable<Self> = DataHooksTable::NONE;
}

#[diagnostic::do_not_recommend]
impl<B: Batch> LightningDataModule for NoDataModule<B> {}

impl<B: Batch> HasHparams for NoDataModule<B> {
    type Hparams = NoHparams;
}

#[diagnostic::do_not_recommend]
impl<B: Batch> FromHparams for NoDataModule<B> {
    fn from_hparams(_: NoHparams) -> Result<Self> {
        Ok(Self(PhantomData))
    }
}
