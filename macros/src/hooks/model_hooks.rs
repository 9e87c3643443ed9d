declarations! {
    /// The hooks around the steps, one method for each phase of a run.
    ///
    /// Every method has a default, so a module defines only those that it needs. Source: Lightning's
    /// [`ModelHooks`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#hooks).
    // the one supertrait of a module that has all others, so that `impl LightningModule for Model` without them is one error about them
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a module [TL0605]",
        label = "write `#[lightning_module] impl {Self}`: the attribute implements `LightningModule` and its supertraits"
    )]
    pub trait ModelHooks: DataHooks + CheckpointHooks + StepOutputs {
        /// Called at the very beginning of `fit`, after the module has been moved to its device and the optimizers have
        /// been created.
        #[callback]
        fn on_fit_start(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called at the very end of `fit`.
        #[callback]
        fn on_fit_end(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when training begins, after the sanity check and before the first epoch.
        #[callback]
        fn on_train_start(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called when training ends, before the loggers are finalized.
        #[callback]
        fn on_train_end(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called before validation begins, including that of the sanity check.
        #[callback]
        fn on_validation_start(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called when validation ends.
        #[callback]
        fn on_validation_end(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called before testing begins.
        #[callback]
        fn on_test_start(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called when testing ends.
        #[callback]
        fn on_test_end(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called before prediction begins.
        #[callback]
        fn on_predict_start(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when prediction ends.
        #[callback]
        fn on_predict_end(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called in the training loop before anything happens for the batch.
        ///
        /// Returns a [`Flow`]: [`Flow::SkipEpoch`] skips the rest of the epoch (`-1` in Lightning). After a method that
        /// returns nothing, the epoch continues.
        #[callback]
        #[logs(step)]
        fn on_train_batch_start(&mut self, ctx: &mut Context<Step>, batch: &Self::Batch, batch_idx: usize) -> Result<Flow> {
            Ok(Flow::Continue)
        }

        /// Called in the training loop after the batch, when the optimizer has stepped.
        ///
        /// `outputs` is the value of `training_step`, with its loss detached from the graph. Its
        /// [`TrainingOutput::detach`](crate::TrainingOutput::detach) detaches other tensors.
        #[callback]
        #[logs(step)]
        fn on_train_batch_end(
            &mut self,
            ctx: &mut Context<Step>,
            outputs: &Self::TrainingOutput,
            batch: &Self::Batch,
            batch_idx: usize,
        ) -> Result<()> {
            Ok(())
        }

        /// Called in the validation loop before `validation_step`.
        #[callback]
        #[logs(epoch)]
        fn on_validation_batch_start(
            &mut self,
            ctx: &mut Context<Step>,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<()> {
            Ok(())
        }

        /// Called in the validation loop after `validation_step`, whose value is `outputs`.
        #[callback]
        #[logs(epoch)]
        fn on_validation_batch_end(
            &mut self,
            ctx: &mut Context<Step>,
            outputs: &Self::ValidationOutput,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<()> {
            Ok(())
        }

        /// Called in the test loop before `test_step`.
        #[callback]
        #[logs(epoch)]
        fn on_test_batch_start(
            &mut self,
            ctx: &mut Context<Step>,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<()> {
            Ok(())
        }

        /// Called in the test loop after `test_step`, whose value is `outputs`.
        #[callback]
        #[logs(epoch)]
        fn on_test_batch_end(
            &mut self,
            ctx: &mut Context<Step>,
            outputs: &Self::TestOutput,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<()> {
            Ok(())
        }

        /// Called in the predict loop before `predict_step`.
        #[callback]
        fn on_predict_batch_start(
            &mut self,
            ctx: &mut Context<Outside>,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<()> {
            Ok(())
        }

        /// Called in the predict loop after `predict_step`, whose value is `outputs`.
        #[callback]
        fn on_predict_batch_end(
            &mut self,
            ctx: &mut Context<Outside>,
            outputs: &Self::Prediction,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<()> {
            Ok(())
        }

        /// Called before validation within training, to free the memory of the gradients. The default sets them to none.
        fn on_validation_model_zero_grad(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            for optimizer in ctx.optimizers_mut() {
                optimizer.zero_grad()?;
            }
            Ok(())
        }

        /// Called when validation begins, in evaluation mode. `ctx.set_training` changes the mode, and other states of the model
        /// can be changed here.
        fn on_validation_model_eval(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when validation ends, in the mode from before it, which `ctx.set_training` changes.
        fn on_validation_model_train(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when testing begins, in evaluation mode.
        fn on_test_model_eval(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when testing ends, in the mode from before it.
        fn on_test_model_train(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when prediction begins, in evaluation mode.
        fn on_predict_model_eval(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called before each training epoch.
        #[callback]
        fn on_train_epoch_start(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called after each training epoch, including its validation.
        #[callback]
        fn on_train_epoch_end(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called before each pass over the validation data.
        #[callback]
        fn on_validation_epoch_start(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called after each pass over the validation data.
        #[callback]
        fn on_validation_epoch_end(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called before the pass over the test data.
        #[callback]
        fn on_test_epoch_start(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called after the pass over the test data.
        #[callback]
        fn on_test_epoch_end(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called before the pass over the data to predict.
        #[callback]
        fn on_predict_epoch_start(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called after the pass over the data to predict. `predictions` is what `predict_step` returned for each batch, loader by
        /// loader; it is empty under [`Trainer::predict_each`](crate::Trainer::predict_each), which keeps none of them.
        #[callback]
        fn on_predict_epoch_end(
            &mut self,
            ctx: &mut Context<Outside>,
            predictions: &[Self::Prediction],
        ) -> Result<()> {
            Ok(())
        }

        /// Called after `training_step` and before the gradients are cleared: the last hook in which those of the previous
        /// step can be read.
        #[callback]
        #[logs(step)]
        #[automatic("do it in `training_step`")]
        fn on_before_zero_grad(&mut self, ctx: &mut Context<Step>, optimizer: OptimizerIndex) -> Result<()> {
            Ok(())
        }

        /// Called before the backward pass. `loss` is a scalar, already divided by `accumulate_grad_batches`.
        #[callback]
        #[logs(step)]
        fn on_before_backward(&mut self, ctx: &mut Context<Step>, loss: &Tensor) -> Result<()> {
            Ok(())
        }

        /// Called after the backward pass, before the optimizer steps.
        #[callback]
        #[logs(step)]
        fn on_after_backward(&mut self, ctx: &mut Context<Step>) -> Result<()> {
            Ok(())
        }

        /// Called before the optimizer steps and before the gradients are clipped, as to log their norm.
        #[callback]
        #[logs(step)]
        fn on_before_optimizer_step(&mut self, ctx: &mut Context<Step>, optimizer: OptimizerIndex) -> Result<()> {
            Ok(())
        }

        /// The name of `configure_model` before Lightning 2.0. Use `configure_model`; it is an error to define both.
        #[older_name_of(configure_model)]
        fn configure_sharded_model(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Creates layers when the device and the data are known. Called for each of `fit`, `validate`, `test` and
        /// `predict`: create a layer only if it does not exist yet.
        fn configure_model(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }
    }
}
