/// Something that a run does besides training: it watches a module, writes, measures or stops.
///
/// Every method has a default. A callback's hook runs before the module's hook of the same name. Source: Lightning's
/// [`Callback`](https://lightning.ai/docs/pytorch/stable/extensions/callbacks.html#callback-api).
pub trait Callback<M: LightningModule> {
    /// The name under which the callback is spoken of in errors.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Called when a verb begins.
    fn setup(&mut self, ctx: &mut Context, module: &mut M, stage: Stage) -> Result<()> {
        Ok(())
    }

    /// Called when a verb ends.
    fn teardown(&mut self, ctx: &mut Context, module: &mut M, stage: Stage) -> Result<()> {
        Ok(())
    }

    /// Called when `fit` begins.
    fn on_fit_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when `fit` ends.
    fn on_fit_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when the sanity check of the validation loop begins.
    fn on_sanity_check_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when the sanity check of the validation loop ends.
    fn on_sanity_check_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when training begins.
    fn on_train_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when training ends.
    fn on_train_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a training epoch begins.
    fn on_train_epoch_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a training epoch ends.
    fn on_train_epoch_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a training batch begins.
    fn on_train_batch_start(&mut self, ctx: &mut Context, module: &mut M, batch: &M::Batch, batch_idx: usize) -> Result<()> {
        Ok(())
    }

    /// Called when a training batch ends.
    fn on_train_batch_end(
        &mut self,
        ctx: &mut Context,
        module: &mut M,
        outputs: &M::TrainingOutput,
        batch: &M::Batch,
        batch_idx: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Called when validation begins.
    fn on_validation_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when validation ends.
    fn on_validation_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a pass over the validation data begins.
    fn on_validation_epoch_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a pass over the validation data ends.
    fn on_validation_epoch_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a validation batch begins.
    fn on_validation_batch_start(
        &mut self,
        ctx: &mut Context,
        module: &mut M,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Called when a validation batch ends.
    fn on_validation_batch_end(
        &mut self,
        ctx: &mut Context,
        module: &mut M,
        outputs: &M::ValidationOutput,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Called when testing begins.
    fn on_test_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when testing ends.
    fn on_test_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when the pass over the test data begins.
    fn on_test_epoch_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when the pass over the test data ends.
    fn on_test_epoch_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a test batch begins.
    fn on_test_batch_start(
        &mut self,
        ctx: &mut Context,
        module: &mut M,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Called when a test batch ends.
    fn on_test_batch_end(
        &mut self,
        ctx: &mut Context,
        module: &mut M,
        outputs: &M::TestOutput,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Called when prediction begins.
    fn on_predict_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when prediction ends.
    fn on_predict_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when the pass over the data to predict begins.
    fn on_predict_epoch_start(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when the pass over the data to predict ends.
    fn on_predict_epoch_end(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called when a batch to predict begins.
    fn on_predict_batch_start(
        &mut self,
        ctx: &mut Context,
        module: &mut M,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Called when a batch to predict ends.
    fn on_predict_batch_end(
        &mut self,
        ctx: &mut Context,
        module: &mut M,
        outputs: &M::Prediction,
        batch: &M::Batch,
        batch_idx: usize,
        dataloader_idx: usize,
    ) -> Result<()> {
        Ok(())
    }

    /// Called before the gradients are cleared.
    fn on_before_zero_grad(&mut self, ctx: &mut Context, module: &mut M, optimizer: OptimizerIndex) -> Result<()> {
        Ok(())
    }

    /// Called before the backward pass.
    fn on_before_backward(&mut self, ctx: &mut Context, module: &mut M, loss: &Tensor) -> Result<()> {
        Ok(())
    }

    /// Called after the backward pass.
    fn on_after_backward(&mut self, ctx: &mut Context, module: &mut M) -> Result<()> {
        Ok(())
    }

    /// Called before the optimizer steps.
    fn on_before_optimizer_step(&mut self, ctx: &mut Context, module: &mut M, optimizer: OptimizerIndex) -> Result<()> {
        Ok(())
    }

    /// Called before a checkpoint is written.
    fn on_save_checkpoint(&mut self, ctx: &mut Context, module: &mut M, checkpoint: &mut Checkpoint) -> Result<()> {
        Ok(())
    }

    /// Called when a checkpoint was read.
    fn on_load_checkpoint(&mut self, ctx: &mut Context, module: &mut M, checkpoint: &Checkpoint) -> Result<()> {
        Ok(())
    }

    /// Called when a run ends by an error.
    fn on_exception(&mut self, ctx: &mut Context, module: &mut M, exception: &Error) -> Result<()> {
        Ok(())
    }
}
