declarations! {
    /// A model with its steps and optimizers, which a [`Trainer`](crate::Trainer) trains.
    ///
    /// `#[lightning_module]` generates the implementation from an ordinary `impl` block; you can also write it by hand.
    /// Source: Lightning's [`LightningModule`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html).
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a module [TL0605]",
        label = "write `#[lightning_module]` above the `impl` block of its hooks"
    )]
    pub trait LightningModule: ModelHooks {
        /// Whether the trainer runs the backward pass and steps the optimizer; if false, `training_step` does so.
        /// Default true; `#[lightning_module(automatic_optimization = false)]` sets it to false. Lightning's
        /// [`automatic_optimization`](https://lightning.ai/docs/pytorch/stable/model/manual_optimization.html).
        const AUTOMATIC_OPTIMIZATION: bool = true;

        /// Returns the store of the module's parameters and buffers, which are moved to the device, optimized and saved.
        fn parameters(&mut self) -> &mut VarStore;

        /// Computes the loss of one training batch: a scalar `[] f32` with its graph, or `None` to skip the batch.
        #[logs(step)]
        #[step(output = TrainingOutput, loader = train_dataloader, loss)]
        #[capability(
            trait = Trains,
            method = fit,
            form = "fn training_step(&mut self, batch: …) -> Tensor",
            code = TL0402
        )]
        fn training_step(
            &mut self,
            ctx: &mut TrainingContext<'_, Self>,
            batch: &Self::Batch,
            batch_idx: usize,
        ) -> Result<Self::TrainingOutput> {
            Err(MissingHook::new(Hook::TrainingStep).into())
        }

        /// Evaluates one validation batch, without gradients. Its value is passed to `on_validation_batch_end`.
        #[logs(epoch)]
        #[step(output = ValidationOutput, loader = val_dataloader)]
        #[capability(
            trait = Validates,
            method = validate,
            form = "fn validation_step(&mut self, batch: …)",
            code = TL0404
        )]
        fn validation_step(
            &mut self,
            ctx: &mut Context<Step>,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<Self::ValidationOutput> {
            Err(MissingHook::new(Hook::ValidationStep).into())
        }

        /// Evaluates one test batch, without gradients. Its value is passed to `on_test_batch_end`.
        #[logs(epoch)]
        #[step(output = TestOutput, loader = test_dataloader)]
        #[capability(trait = Tests, method = test, form = "fn test_step(&mut self, batch: …)", code = TL0405)]
        fn test_step(
            &mut self,
            ctx: &mut Context<Step>,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<Self::TestOutput> {
            Err(MissingHook::new(Hook::TestStep).into())
        }

        /// Predicts one batch, without gradients. `predict` collects its values.
        #[step(output = Prediction, loader = predict_dataloader)]
        #[capability(
            trait = Predicts,
            method = predict,
            form = "fn predict_step(&mut self, batch: …) -> Tensor",
            code = TL0406
        )]
        fn predict_step(
            &mut self,
            ctx: &mut Context<Outside>,
            batch: &Self::Batch,
            batch_idx: usize,
            dataloader_idx: usize,
        ) -> Result<Self::Prediction> {
            Err(MissingHook::new(Hook::PredictStep).into())
        }

        /// Returns the optimizer over the module's trainable parameters, or several. A method in an annotated block may return an optimizer
        /// with its scheduler in a pair: `fn configure_optimizers(&self) -> (AdamW, StepLr)`.
        #[capability(
            trait = Optimizes,
            method = fit,
            form = "fn configure_optimizers(&mut self) -> AdamW",
            code = TL0403
        )]
        fn configure_optimizers(&mut self, ctx: &mut Context<Outside>) -> Result<Optimizers> {
            Err(MissingHook::new(Hook::ConfigureOptimizers).into())
        }

        /// Returns the module's own callbacks, which run after the trainer's. A method in an annotated block may return one callback,
        /// or a tuple, an `Option` or a `Vec` of callbacks: `fn configure_callbacks(&self) -> (ModelCheckpoint, EarlyStopping)`.
        fn configure_callbacks(&mut self, ctx: &mut Context<Outside>) -> Result<Vec<Box<dyn Callback<Self>>>> {
            Ok(Vec::new())
        }

        /// Runs the backward pass of `loss`, a scalar.
        #[logs(step)]
        fn backward(&mut self, ctx: &mut Context<Step>, loss: &Tensor) -> Result<()> {
            Ok(loss.f_backward()?)
        }

        /// Steps one optimizer. `closure.run(self, ctx)` computes the loss and the gradients of the batch. Run it once, and
        /// again as often as the optimizer requires it, as L-BFGS does.
        #[logs(step)]
        #[automatic("call `ctx.manual_step(self, optimizer)` in `training_step`")]
        fn optimizer_step(
            &mut self,
            ctx: &mut Context<Step>,
            epoch: usize,
            batch_idx: usize,
            optimizer: OptimizerIndex,
            closure: &mut StepClosure<'_, Self>,
        ) -> Result<()> {
            loop {
                let loss = closure.run(self, ctx)?;
                if ctx.optimizer(optimizer).step_on(loss.as_ref())? == Progress::Done {
                    return Ok(());
                }
            }
        }

        /// Clears the gradients of one optimizer's parameters. The default drops them (`set_to_none` in PyTorch).
        #[logs(step)]
        #[automatic("call `ctx.optimizer(optimizer).zero_grad()` in `training_step`")]
        fn optimizer_zero_grad(
            &mut self,
            ctx: &mut Context<Step>,
            epoch: usize,
            batch_idx: usize,
            optimizer: OptimizerIndex,
        ) -> Result<()> {
            Ok(ctx.optimizer(optimizer).zero_grad()?)
        }

        /// Steps a learning-rate scheduler when it is due. `metric` is the value that a `ReduceLrOnPlateau` monitors, and
        /// `None` for all other schedulers.
        #[automatic("call `ctx.step_lr_scheduler(scheduler, metric)` in `training_step`")]
        fn lr_scheduler_step(
            &mut self,
            ctx: &mut Context<Outside>,
            scheduler: LrSchedulerIndex,
            metric: Option<f64>,
        ) -> Result<()> {
            Ok(ctx.step_lr_scheduler(scheduler, metric)?)
        }

        /// Clips the gradients before the optimizer steps. The default applies the trainer's `gradient_clip_val` and
        /// `gradient_clip_algorithm`, and does nothing without a `gradient_clip_val`.
        #[logs(step)]
        #[automatic("call `ctx.clip_gradients` in `training_step`")]
        fn configure_gradient_clipping(
            &mut self,
            ctx: &mut Context<Step>,
            optimizer: OptimizerIndex,
            gradient_clip_val: Option<f64>,
            gradient_clip_algorithm: GradientClipAlgorithm,
        ) -> Result<()> {
            match gradient_clip_val {
                Some(value) => ctx.clip_gradients(optimizer, value, gradient_clip_algorithm),
                None => Ok(()),
            }
        }

        /// Called when a run ends with an error, before the error is returned.
        #[callback]
        fn on_exception(&mut self, ctx: &mut Context<Outside>, exception: &Error) -> Result<()> {
            Ok(())
        }
    }
}
