declarations! {
    /// The hooks that load batches and transfer them to the device, shared by modules and data modules.
    ///
    /// A data module's hook takes precedence over the module's hook of the same name. Source: Lightning's
    /// [`DataHooks`](https://lightning.ai/docs/pytorch/stable/data/datamodule.html#lightningdatamodule-api).
    pub trait DataHooks: Batched {
        /// Downloads or prepares the data on disk. Called once for each run, before `setup`, in one process only: do not
        /// store state here.
        fn prepare_data(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Creates what the stage needs: datasets, or layers whose size depends on the data. Called in every process.
        #[callback]
        fn setup(&mut self, ctx: &mut Context<Outside>, stage: Stage) -> Result<()> {
            Ok(())
        }

        /// Releases what `setup` created. Called at the end of `fit`, `validate`, `test` and `predict`.
        #[callback]
        fn teardown(&mut self, ctx: &mut Context<Outside>, stage: Stage) -> Result<()> {
            Ok(())
        }

        /// Returns the loader of the training batches.
        fn train_dataloader(&mut self, ctx: &mut Context<Outside>) -> Result<DataLoader<Self::Batch>> {
            Err(MissingHook::new(Hook::TrainDataloader).into())
        }

        /// Returns the loader of the validation batches, or several.
        fn val_dataloader(&mut self, ctx: &mut Context<Outside>) -> Result<DataLoaders<Self::Batch>> {
            Err(MissingHook::new(Hook::ValDataloader).into())
        }

        /// Returns the loader of the test batches, or several.
        fn test_dataloader(&mut self, ctx: &mut Context<Outside>) -> Result<DataLoaders<Self::Batch>> {
            Err(MissingHook::new(Hook::TestDataloader).into())
        }

        /// Returns the loader of the batches to predict, or several.
        fn predict_dataloader(&mut self, ctx: &mut Context<Outside>) -> Result<DataLoaders<Self::Batch>> {
            Err(MissingHook::new(Hook::PredictDataloader).into())
        }

        /// Changes a batch before it is moved to the device.
        fn on_before_batch_transfer(
            &mut self,
            ctx: &mut Context<Outside>,
            batch: Self::Batch,
            dataloader_idx: usize,
        ) -> Result<Self::Batch> {
            Ok(batch)
        }

        /// Moves a batch to the device. The default moves every tensor in it.
        fn transfer_batch_to_device(
            &mut self,
            ctx: &mut Context<Outside>,
            batch: Self::Batch,
            device: Device,
            dataloader_idx: usize,
        ) -> Result<Self::Batch> {
            Ok(batch.move_to_device(device)?)
        }

        /// Changes a batch on the device, as augmentations that run there do.
        fn on_after_batch_transfer(
            &mut self,
            ctx: &mut Context<Outside>,
            batch: Self::Batch,
            dataloader_idx: usize,
        ) -> Result<Self::Batch> {
            Ok(batch)
        }
    }
}
