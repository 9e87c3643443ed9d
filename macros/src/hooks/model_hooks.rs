declarations! {
    /// What happens around the steps: one method for each moment of a run.
    ///
    /// Every method has a default, so a module writes the ones it needs. Source: Lightning's
    /// [`ModelHooks`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#hooks).
    pub trait ModelHooks: Batched + StepOutputs {
        /// Called at the very beginning of `fit`, after the module is on its device and the optimizers are made.
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

        /// Called when training ends, before the loggers are finished.
        #[callback]
        fn on_train_end(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called before validation begins, the sanity check's included.
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
        /// Answers with a [`Flow`]: [`Flow::SkipEpoch`] leaves out the rest of the epoch (`-1` in Lightning). A method
        /// that returns nothing goes on.
        #[callback]
        #[logs(step)]
        fn on_train_batch_start(&mut self, ctx: &mut Context, batch: &Self::Batch, batch_idx: usize) -> Result<Flow> {
            Ok(Flow::Continue)
        }

        /// Called in the training loop after the batch, when the optimizer has stepped.
        ///
        /// `outputs` is what `training_step` returned, its loss without the graph. What else of it is without, its
        /// [`TrainingOutput::detach`](crate::TrainingOutput::detach) says.
        #[callback]
        #[logs(step)]
        fn on_train_batch_end(
            &mut self,
            ctx: &mut Context,
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
            ctx: &mut Context,
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
            ctx: &mut Context,
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
            ctx: &mut Context,
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
            ctx: &mut Context,
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

        /// Called before validation within training, to release the memory of the gradients. The default drops them.
        fn on_validation_model_zero_grad(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            for optimizer in ctx.optimizers_mut() {
                optimizer.zero_grad()?;
            }
            Ok(())
        }

        /// Called when validation takes the model: the place to switch to evaluation a state that `forward_t`'s `train`
        /// argument does not reach.
        fn on_validation_model_eval(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when validation gives the model back to training.
        fn on_validation_model_train(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when the test loop takes the model.
        fn on_test_model_eval(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when the test loop gives the model back.
        fn on_test_model_train(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called when the predict loop takes the model.
        fn on_predict_model_eval(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Called before each training epoch.
        #[callback]
        fn on_train_epoch_start(&mut self, ctx: &mut Context<Epoch>) -> Result<()> {
            Ok(())
        }

        /// Called after each training epoch, its validation included.
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

        /// Called after `training_step` and before the gradients are cleared: the last place to look at those of the
        /// step before.
        #[callback]
        #[logs(step)]
        #[automatic("do it in `training_step`")]
        fn on_before_zero_grad(&mut self, ctx: &mut Context, optimizer: OptimizerIndex) -> Result<()> {
            Ok(())
        }

        /// Called before the backward pass. `loss` is a scalar, already divided by `accumulate_grad_batches`.
        #[callback]
        #[logs(step)]
        fn on_before_backward(&mut self, ctx: &mut Context, loss: &Tensor) -> Result<()> {
            Ok(())
        }

        /// Called after the backward pass, before the optimizer steps.
        #[callback]
        #[logs(step)]
        fn on_after_backward(&mut self, ctx: &mut Context) -> Result<()> {
            Ok(())
        }

        /// Called before the optimizer steps, and before the gradients are clipped: the place to log their norm.
        #[callback]
        #[logs(step)]
        fn on_before_optimizer_step(&mut self, ctx: &mut Context, optimizer: OptimizerIndex) -> Result<()> {
            Ok(())
        }

        /// The name that `configure_model` had before Lightning 2.0. Write that one; to write both is an error.
        #[older_name_of(configure_model)]
        fn configure_sharded_model(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }

        /// Creates layers late, when the device and the data are known. Called for each of `fit`, `validate`, `test`
        /// and `predict`: create them only if they are not there yet.
        fn configure_model(&mut self, ctx: &mut Context<Outside>) -> Result<()> {
            Ok(())
        }
    }
}
