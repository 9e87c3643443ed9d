//! The data of a run: from the module itself, a data module, or loaders.

use super::{Batched, DataHooks, DataHooksTable, LightningDataModule, LightningDataModuleTable, LightningModule};
use crate::context::RunContext;
use crate::data::{Batch, DataLoader, DataLoaders};
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::stage::Stage;
use serde_json::Value;

/// The data of the trainer's verbs: `()` if the module has its own loaders, `&mut data` for a data module, or
/// [`Loaders`].
///
/// Hooks of a data module go before the module's hooks of the same name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the data of `{M}` [TL0604]",
    label = "expected `()`, `Loaders`, or `&mut` of a data module with this module's batches",
    note = "a data module has `#[lightning_datamodule]` on its block, and its loaders yield the type that the module's hooks take as `batch`",
    note = "the module comes first: `trainer.fit(&mut model, &mut data)`",
    note = "loaders are given in one value: `trainer.fit(&mut model, Loaders::train(train).with_validation(val))`, and \
            `Loaders::evaluation(loader)` for `validate`, `test` and `predict`"
)]
pub trait DataSource<M: LightningModule> {
    /// Calls `prepare_data`.
    ///
    /// # Errors
    /// The hooks' own, as of all of these methods.
    fn prepare_data(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<(), Error>;

    /// Calls `setup`.
    ///
    /// # Errors
    /// The hooks' own.
    fn setup(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error>;

    /// Calls `teardown`.
    ///
    /// # Errors
    /// The hooks' own.
    fn teardown(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error>;

    /// Calls the data module's `on_exception`.
    ///
    /// # Errors
    /// The hook's own.
    fn on_exception(&mut self, ctx: &mut RunContext, exception: &Error) -> Result<(), Error> {
        let _ = (ctx, exception);
        Ok(())
    }

    /// The state of the data module for a checkpoint.
    ///
    /// # Errors
    /// The hook's own.
    fn state_dict(&mut self, ctx: &mut RunContext) -> Result<Value, Error> {
        let _ = ctx;
        Ok(Value::Null)
    }

    /// Gives the data module what it kept.
    ///
    /// # Errors
    /// The hook's own.
    fn load_state_dict(&mut self, ctx: &mut RunContext, state_dict: &Value) -> Result<(), Error> {
        let _ = (ctx, state_dict);
        Ok(())
    }

    /// Whether there is a loader of this kind.
    fn has(&self, dataloader: Hook) -> bool;

    /// Whether `on_before_batch_transfer` or `transfer_batch_to_device` is overridden, so that batches go to the device one by
    /// one.
    fn has_transfer_hooks(&self) -> bool;

    /// The loader of the training batches.
    ///
    /// # Errors
    /// The hooks' own.
    fn train_dataloader(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<DataLoader<M::Batch>, Error>;

    /// The loaders of another kind: `val_dataloader`, `test_dataloader` or `predict_dataloader`.
    ///
    /// # Errors
    /// The hooks' own.
    fn evaluation_dataloaders(
        &mut self,
        dataloader: Hook,
        module: &mut M,
        ctx: &mut RunContext,
    ) -> Result<DataLoaders<M::Batch>, Error>;

    /// Takes a batch to the device.
    ///
    /// # Errors
    /// The hooks' own.
    fn transfer(
        &mut self,
        module: &mut M,
        ctx: &mut RunContext,
        batch: M::Batch,
        dataloader_idx: usize,
    ) -> Result<M::Batch, Error>;
}

/// The module's own hooks.
#[diagnostic::do_not_recommend]
impl<M: LightningModule> DataSource<M> for () {
    fn prepare_data(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<(), Error> {
        DataHooksTable::prepare_data(module, ctx)
    }

    fn setup(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error> {
        DataHooksTable::setup(module, ctx, stage)
    }

    fn teardown(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error> {
        DataHooksTable::teardown(module, ctx, stage)
    }

    fn has(&self, dataloader: Hook) -> bool {
        <M as DataHooks>::TABLE.overrides(dataloader)
    }

    fn has_transfer_hooks(&self) -> bool {
        own_transfer_hooks::<M>()
    }

    fn train_dataloader(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<DataLoader<M::Batch>, Error> {
        DataHooksTable::train_dataloader(module, ctx)
    }

    fn evaluation_dataloaders(
        &mut self,
        dataloader: Hook,
        module: &mut M,
        ctx: &mut RunContext,
    ) -> Result<DataLoaders<M::Batch>, Error> {
        DataHooksTable::dataloaders(dataloader, module, ctx)
    }

    fn transfer(
        &mut self,
        module: &mut M,
        ctx: &mut RunContext,
        batch: M::Batch,
        dataloader_idx: usize,
    ) -> Result<M::Batch, Error> {
        own_transfer(module, ctx, batch, dataloader_idx)
    }
}

/// A data module's hooks, and the module's where it has none.
#[diagnostic::do_not_recommend]
impl<M: LightningModule, D: Loads<M::Batch>> DataSource<M> for &mut D {
    fn prepare_data(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<(), Error> {
        DataHooksTable::prepare_data(*self, ctx)?;
        ().prepare_data(module, ctx)
    }

    fn setup(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error> {
        TRANSFER_HOOKS.into_iter().filter(|hook| both_override::<D, M>(*hook)).for_each(warn_of_both);
        DataHooksTable::setup(*self, ctx, stage)?;
        ().setup(module, ctx, stage)
    }

    fn teardown(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error> {
        DataHooksTable::teardown(*self, ctx, stage)?;
        ().teardown(module, ctx, stage)
    }

    fn on_exception(&mut self, ctx: &mut RunContext, exception: &Error) -> Result<(), Error> {
        LightningDataModuleTable::on_exception(*self, ctx, exception)
    }

    fn state_dict(&mut self, ctx: &mut RunContext) -> Result<Value, Error> {
        LightningDataModuleTable::state_dict(*self, ctx)
    }

    fn load_state_dict(&mut self, ctx: &mut RunContext, state_dict: &Value) -> Result<(), Error> {
        LightningDataModuleTable::load_state_dict(*self, ctx, state_dict)
    }

    fn has(&self, dataloader: Hook) -> bool {
        <D as DataHooks>::TABLE.overrides(dataloader) || <() as DataSource<M>>::has(&(), dataloader)
    }

    fn has_transfer_hooks(&self) -> bool {
        own_transfer_hooks::<D>() || own_transfer_hooks::<M>()
    }

    fn train_dataloader(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<DataLoader<M::Batch>, Error> {
        match <D as DataHooks>::TABLE.train_dataloader {
            Some(_) => DataHooksTable::train_dataloader(*self, ctx),
            None => ().train_dataloader(module, ctx),
        }
    }

    fn evaluation_dataloaders(
        &mut self,
        dataloader: Hook,
        module: &mut M,
        ctx: &mut RunContext,
    ) -> Result<DataLoaders<M::Batch>, Error> {
        if <D as DataHooks>::TABLE.overrides(dataloader) {
            DataHooksTable::dataloaders(dataloader, *self, ctx)
        } else {
            DataHooksTable::dataloaders(dataloader, module, ctx)
        }
    }

    fn transfer(
        &mut self,
        module: &mut M,
        ctx: &mut RunContext,
        batch: M::Batch,
        dataloader_idx: usize,
    ) -> Result<M::Batch, Error> {
        let table = <D as DataHooks>::TABLE;
        let batch = match table.on_before_batch_transfer {
            Some(_) => DataHooksTable::on_before_batch_transfer(*self, ctx, batch, dataloader_idx)?,
            None => DataHooksTable::on_before_batch_transfer(module, ctx, batch, dataloader_idx)?,
        };
        let device = ctx.device();
        let batch = match table.transfer_batch_to_device {
            Some(_) => DataHooksTable::transfer_batch_to_device(*self, ctx, batch, device, dataloader_idx)?,
            None => DataHooksTable::transfer_batch_to_device(module, ctx, batch, device, dataloader_idx)?,
        };
        match table.on_after_batch_transfer {
            Some(_) => DataHooksTable::on_after_batch_transfer(*self, ctx, batch, dataloader_idx),
            None => DataHooksTable::on_after_batch_transfer(module, ctx, batch, dataloader_idx),
        }
    }
}

/// A data module that loads these batches. Every data module is one, for its own batches.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data module that loads the module's batches, `{Loaded}` [TL0604]",
    label = "its loaders must yield the type that the module's hooks take as `batch`, and its block needs `#[lightning_datamodule]`"
)]
pub trait Loads<Loaded>: LightningDataModule<Batch = Loaded> {}

#[diagnostic::do_not_recommend]
impl<Loaded, D: LightningDataModule<Batch = Loaded>> Loads<Loaded> for D {}

/// The hooks around the move of a batch to the device, of which those of a data module are called in place of the module's.
const TRANSFER_HOOKS: [Hook; 3] =
    [Hook::OnBeforeBatchTransfer, Hook::TransferBatchToDevice, Hook::OnAfterBatchTransfer];

fn both_override<D: DataHooks, M: DataHooks>(hook: Hook) -> bool {
    D::TABLE.overrides(hook) && M::TABLE.overrides(hook)
}

fn warn_of_both(hook: Hook) {
    messages::warning!(
        "the module and the data module both define `{hook}`: that of the data module is called, and the module's is not"
    );
}

fn own_transfer_hooks<H: DataHooks>() -> bool {
    let table = H::TABLE;
    table.on_before_batch_transfer.is_some() || table.transfer_batch_to_device.is_some()
}

fn own_transfer<H: DataHooks>(
    owner: &mut H,
    ctx: &mut RunContext,
    batch: H::Batch,
    dataloader_idx: usize,
) -> Result<H::Batch, Error> {
    let batch = DataHooksTable::on_before_batch_transfer(owner, ctx, batch, dataloader_idx)?;
    let device = ctx.device();
    let batch = DataHooksTable::transfer_batch_to_device(owner, ctx, batch, device, dataloader_idx)?;
    DataHooksTable::on_after_batch_transfer(owner, ctx, batch, dataloader_idx)
}

/// Existing loaders for a run, as in Lightning's `fit(model, train_dataloaders, val_dataloaders)`. The verb consumes
/// them.
///
/// Cross-validation over `k` folds, each with its own module and run:
///
/// ```
/// use tch_lightning::data::Subset;
/// use tch_lightning::prelude::*;
/// use tch_lightning::module::{Loaders, Optimizes, Trains, Validates};
/// use tch_lightning::{LightningModule, trainer::Metrics};
///
/// /// Returns what each fold logs for its validation.
/// fn cross_validate<M>(new: impl Fn() -> M, dataset: TensorDataset<M::Batch>, k: usize) -> Result<Vec<Metrics>>
/// where
///     M: LightningModule<Batch = (Tensor, Tensor)> + Trains + Optimizes + Validates,
/// {
///     let dataset = std::sync::Arc::new(dataset);
///     let of_fold = |fold, inside: bool| {
///         let indices = (0..dataset.len()).filter(|index| (index % k == fold) == inside).collect();
///         Ok::<_, anyhow::Error>(DataLoader::new(Subset::new(dataset.clone(), indices)?).batch_size(32))
///     };
///     let mut metrics = Vec::new();
///     for fold in 0..k {
///         let (mut module, mut trainer) = (new(), Trainer::default());
///         trainer.fit(&mut module, Loaders::train(of_fold(fold, false)?.shuffle(true)).with_validation(of_fold(fold, true)?))?;
///         metrics.push(trainer.validate(&mut module, Loaders::evaluation(of_fold(fold, true)?))?);
///     }
///     Ok(metrics)
/// }
/// ```
pub struct Loaders<B: Batch> {
    train: Option<DataLoader<B>>,
    evaluation: Option<DataLoaders<B>>,
}

impl<B: Batch> Loaders<B> {
    /// A loader of training batches.
    pub fn train(loader: DataLoader<B>) -> Self {
        Self { train: Some(loader), evaluation: None }
    }

    /// Loaders to validate, test or predict on: those of validation alongside [`Loaders::train`] for `fit`.
    pub fn evaluation(loaders: impl Into<DataLoaders<B>>) -> Self {
        Self { train: None, evaluation: Some(loaders.into()) }
    }

    /// Adds the validation loaders of a `fit`.
    pub fn with_validation(mut self, loaders: impl Into<DataLoaders<B>>) -> Self {
        self.evaluation = Some(loaders.into());
        self
    }
}

#[diagnostic::do_not_recommend]
impl<B: Batch, M: LightningModule + Batched<Batch = B>> DataSource<M> for Loaders<B> {
    fn prepare_data(&mut self, module: &mut M, ctx: &mut RunContext) -> Result<(), Error> {
        ().prepare_data(module, ctx)
    }

    fn setup(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error> {
        ().setup(module, ctx, stage)
    }

    fn teardown(&mut self, module: &mut M, ctx: &mut RunContext, stage: Stage) -> Result<(), Error> {
        ().teardown(module, ctx, stage)
    }

    fn has(&self, dataloader: Hook) -> bool {
        match dataloader {
            Hook::TrainDataloader => self.train.is_some(),
            _ => self.evaluation.is_some(),
        }
    }

    fn has_transfer_hooks(&self) -> bool {
        own_transfer_hooks::<M>()
    }

    fn train_dataloader(&mut self, _: &mut M, ctx: &mut RunContext) -> Result<DataLoader<M::Batch>, Error> {
        self.train.take().ok_or(Error::Missing { stage: ctx.stage(), hook: Hook::TrainDataloader })
    }

    fn evaluation_dataloaders(
        &mut self,
        dataloader: Hook,
        _: &mut M,
        ctx: &mut RunContext,
    ) -> Result<DataLoaders<M::Batch>, Error> {
        self.evaluation.take().ok_or(Error::Missing { stage: ctx.stage(), hook: dataloader })
    }

    fn transfer(
        &mut self,
        module: &mut M,
        ctx: &mut RunContext,
        batch: M::Batch,
        dataloader_idx: usize,
    ) -> Result<M::Batch, Error> {
        own_transfer(module, ctx, batch, dataloader_idx)
    }
}
