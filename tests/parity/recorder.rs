/// Declares a module with the hooks that both have, and those of its own.
macro_rules! recorder {
    ($(#[$attribute:meta])* $name:ident { $($own:tt)* }) => {
        pub(super) struct $name(Recording);

        impl Records for $name {
            fn new(recording: Recording) -> Self {
                Self(recording)
            }

            fn recording(&self) -> &Recording {
                self
            }
        }

        impl Deref for $name {
            type Target = Recording;

            fn deref(&self) -> &Recording {
                &self.0
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Recording {
                &mut self.0
            }
        }

        $(#[$attribute])*
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn validation_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                let shown = Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() };
                self.note("validation_step", ctx, shown)?;
                ctx.log("val_loss", self.loss(batch)).batch_size(2).sync_dist(self.model.sync_dist);
                Ok(())
            }

            fn test_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                let shown = Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() };
                self.note("test_step", ctx, shown)?;
                ctx.log("test_loss", self.loss(batch)).batch_size(2).sync_dist(self.model.sync_dist);
                Ok(())
            }

            fn predict_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize, dataloader_idx: usize) -> Result<Tensor> {
                let shown = Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() };
                self.note("predict_step", ctx, shown)?;
                Ok(self.layer.forward(&batch.0))
            }

            fn configure_optimizers(&self, ctx: &mut Context) -> Result<Vec<ScheduledOptimizer>> {
                self.note("configure_optimizers", ctx, Shown::default())?;
                let algorithm = Algorithm::from(self.model.optimizer.clone());
                let mut optimizers = vec![algorithm.into_optimizer(); self.model.optimizers];
                if let (Some(scheduler), Some(first)) = (&self.model.scheduler, optimizers.first_mut()) {
                    first.lr_schedulers.push(scheduler.config()?);
                }
                Ok(optimizers)
            }

            fn configure_callbacks(&self, ctx: &mut Context) -> Result<Vec<Box<dyn Callback<Self>>>> {
                self.note("configure_callbacks", ctx, Shown::default())?;
                Ok(Vec::new())
            }

            fn train_dataloader(&self, ctx: &mut Context) -> Result<DataLoader<Rows>> {
                self.note("train_dataloader", ctx, Shown::default())?;
                loader(TRAIN, self.model.train, self.model.extra_rows)
            }

            fn val_dataloader(&self, ctx: &mut Context) -> Result<Vec<DataLoader<Rows>>> {
                self.note("val_dataloader", ctx, Shown::default())?;
                loaders(VALIDATION, &self.model.val, self.model.extra_rows)
            }

            fn test_dataloader(&self, ctx: &mut Context) -> Result<Vec<DataLoader<Rows>>> {
                self.note("test_dataloader", ctx, Shown::default())?;
                loaders(TEST, &self.model.test, self.model.extra_rows)
            }

            fn predict_dataloader(&self, ctx: &mut Context) -> Result<Vec<DataLoader<Rows>>> {
                self.note("predict_dataloader", ctx, Shown::default())?;
                loaders(PREDICT, &self.model.predict, self.model.extra_rows)
            }

            fn on_train_batch_start(&self, ctx: &mut Context, batch_idx: usize) -> Result<Flow> {
                self.note("on_train_batch_start", ctx, Shown { batch_idx: Some(batch_idx), ..Shown::default() })?;
                let skips = self.model.skip.iter().any(|skip| skip.epoch == ctx.current_epoch() && skip.batch == batch_idx);
                Ok(if skips { Flow::SkipEpoch } else { Flow::Continue })
            }

            fn on_validation_epoch_end(&mut self, ctx: &mut Context) -> Result<()> {
                self.note("on_validation_epoch_end", ctx, Shown::default())?;
                let metrics = &self.model.val_metric;
                let metric = metrics.get(self.validations).or(metrics.last()).copied();
                if let Some(metric) = metric.filter(|_| !ctx.sanity_checking()) {
                    ctx.log("val_metric", metric);
                    self.validations += 1;
                }
                Ok(())
            }

            fn on_before_batch_transfer(&self, ctx: &mut Context, batch: Rows, dataloader_idx: usize) -> Result<Rows> {
                let shown = Shown { dataloader_idx: Some(dataloader_idx), ..Shown::default() };
                self.note("on_before_batch_transfer", ctx, shown)?;
                Ok(batch)
            }

            fn transfer_batch_to_device(
                &self,
                ctx: &mut Context,
                batch: Rows,
                device: Device,
                dataloader_idx: usize,
            ) -> Result<Rows> {
                let shown = Shown { dataloader_idx: Some(dataloader_idx), ..Shown::default() };
                self.note("transfer_batch_to_device", ctx, shown)?;
                Ok(batch.move_to_device(device)?)
            }

            fn on_after_batch_transfer(&self, ctx: &mut Context, batch: Rows, dataloader_idx: usize) -> Result<Rows> {
                let shown = Shown { dataloader_idx: Some(dataloader_idx), ..Shown::default() };
                self.note("on_after_batch_transfer", ctx, shown)?;
                Ok(batch)
            }

            fn backward(&self, ctx: &mut Context, loss: &Tensor) -> Result<()> {
                self.note("backward", ctx, Shown::default())?;
                Ok(loss.f_backward()?)
            }

            fn on_validation_model_zero_grad(&self, ctx: &mut Context) -> Result<()> {
                self.note_if_overridden("on_validation_model_zero_grad", ctx)?;
                for optimizer in ctx.optimizers_mut() {
                    optimizer.zero_grad()?;
                }
                Ok(())
            }

            fn on_validation_model_train(&self, ctx: &mut Context) -> Result<()> {
                self.note_if_overridden("on_validation_model_train", ctx)
            }

            fn on_test_model_train(&self, ctx: &mut Context) -> Result<()> {
                self.note_if_overridden("on_test_model_train", ctx)
            }

            fn configure_model(&self, ctx: &mut Context) -> Result<()> {
                // a module has one of the two names, and both are called at the same moment
                self.note_if_overridden("configure_sharded_model", ctx)?;
                self.note_if_overridden("configure_model", ctx)
            }

            fn setup(&self, ctx: &mut Context, stage: Stage) -> Result<()> {
                self.note("setup", ctx, Shown { stage: Some(stage), ..Shown::default() })
            }

            fn teardown(&self, ctx: &mut Context, stage: Stage) -> Result<()> {
                self.note("teardown", ctx, Shown { stage: Some(stage), ..Shown::default() })
            }

            fn prepare_data(&self, ctx: &mut Context) -> Result<()> {
                self.note("prepare_data", ctx, Shown::default())
            }

            fn on_fit_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_fit_start", ctx, Shown::default())
            }

            fn on_fit_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_fit_end", ctx, Shown::default())
            }

            fn on_train_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_train_start", ctx, Shown::default())
            }

            fn on_train_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_train_end", ctx, Shown::default())
            }

            fn on_train_epoch_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_train_epoch_start", ctx, Shown::default())
            }

            fn on_train_epoch_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_train_epoch_end", ctx, Shown::default())
            }

            fn on_before_backward(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_before_backward", ctx, Shown::default())
            }

            fn on_after_backward(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_after_backward", ctx, Shown::default())
            }

            fn on_before_optimizer_step(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_before_optimizer_step", ctx, Shown::default())
            }

            fn on_save_checkpoint(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_save_checkpoint", ctx, Shown::default())
            }

            fn on_load_checkpoint(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_load_checkpoint", ctx, Shown::default())
            }

            fn on_validation_model_eval(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_validation_model_eval", ctx, Shown::default())
            }

            fn on_test_model_eval(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_test_model_eval", ctx, Shown::default())
            }

            fn on_predict_model_eval(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_predict_model_eval", ctx, Shown::default())
            }

            fn on_validation_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_validation_start", ctx, Shown::default())
            }

            fn on_validation_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_validation_end", ctx, Shown::default())
            }

            fn on_validation_epoch_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_validation_epoch_start", ctx, Shown::default())
            }

            fn on_test_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_test_start", ctx, Shown::default())
            }

            fn on_test_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_test_end", ctx, Shown::default())
            }

            fn on_test_epoch_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_test_epoch_start", ctx, Shown::default())
            }

            fn on_test_epoch_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_test_epoch_end", ctx, Shown::default())
            }

            fn on_predict_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_predict_start", ctx, Shown::default())
            }

            fn on_predict_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_predict_end", ctx, Shown::default())
            }

            fn on_predict_epoch_start(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_predict_epoch_start", ctx, Shown::default())
            }

            fn on_predict_epoch_end(&self, ctx: &mut Context) -> Result<()> {
                self.note("on_predict_epoch_end", ctx, Shown::default())
            }

            fn on_train_batch_end(&self, ctx: &mut Context, batch_idx: usize) -> Result<()> {
                self.note("on_train_batch_end", ctx, Shown { batch_idx: Some(batch_idx), ..Shown::default() })
            }

            fn on_validation_batch_start(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                self.note(
                    "on_validation_batch_start",
                    ctx,
                    Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
                )
            }

            fn on_validation_batch_end(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                self.note(
                    "on_validation_batch_end",
                    ctx,
                    Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
                )
            }

            fn on_test_batch_start(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                self.note(
                    "on_test_batch_start",
                    ctx,
                    Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
                )
            }

            fn on_test_batch_end(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                self.note(
                    "on_test_batch_end",
                    ctx,
                    Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
                )
            }

            fn on_predict_batch_start(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                self.note(
                    "on_predict_batch_start",
                    ctx,
                    Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
                )
            }

            fn on_predict_batch_end(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) -> Result<()> {
                self.note(
                    "on_predict_batch_end",
                    ctx,
                    Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
                )
            }

            $($own)*
        }
    };
}

pub(super) use recorder;
