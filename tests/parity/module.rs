use super::events::Shown;
use super::recorder::recorder;
use super::recording::{Recording, Records};
use super::rows::{PREDICT, Rows, TEST, TRAIN, VALIDATION, loader, loaders};
use std::ops::{Deref, DerefMut};
use tch_lightning::optim::Algorithm;
use tch_lightning::optim::Progress;
use tch_lightning::prelude::*;
use tch_lightning::schedule::LrSchedulerIndex;
use tch_lightning::{
    module::{IntoOptimizer, ScheduledOptimizer},
    trainer::GradientClipAlgorithm,
};

recorder! {
    #[lightning_module]
    Automatic {
        fn training_step(&self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<Option<Tensor>> {
            self.note("training_step", ctx, Shown { batch_idx: Some(batch_idx), ..Shown::default() })?;
            if self.model.none_loss_at.contains(&batch_idx) {
                return Ok(None);
            }
            let loss = self.loss(batch);
            ctx.log("train_loss", &loss).on_step(true).on_epoch(true).batch_size(2).sync_dist(self.model.sync_dist);
            Ok(Some(loss))
        }

        fn optimizer_step(
            &mut self,
            ctx: &mut Context,
            batch_idx: usize,
            optimizer: OptimizerIndex,
            closure: &mut StepClosure<'_, Self>,
        ) -> Result<()> {
            self.note("optimizer_step", ctx, Shown { batch_idx: Some(batch_idx), ..Shown::default() })?;
            loop {
                let loss = closure.run(self, ctx)?;
                if ctx.optimizer(optimizer).step_on(loss.as_ref())? == Progress::Done {
                    return Ok(());
                }
            }
        }

        fn optimizer_zero_grad(&self, ctx: &mut Context, batch_idx: usize, optimizer: OptimizerIndex) -> Result<()> {
            self.note("optimizer_zero_grad", ctx, Shown { batch_idx: Some(batch_idx), ..Shown::default() })?;
            Ok(ctx.optimizer(optimizer).zero_grad()?)
        }

        fn lr_scheduler_step(
            &self,
            ctx: &mut Context,
            scheduler: LrSchedulerIndex,
            metric: Option<f64>,
        ) -> Result<()> {
            self.note("lr_scheduler_step", ctx, Shown::default())?;
            Ok(ctx.step_lr_scheduler(scheduler, metric)?)
        }

        fn configure_gradient_clipping(
            &self,
            ctx: &mut Context,
            optimizer: OptimizerIndex,
            gradient_clip_val: Option<f64>,
            gradient_clip_algorithm: GradientClipAlgorithm,
        ) -> Result<()> {
            self.note("configure_gradient_clipping", ctx, Shown::default())?;
            gradient_clip_val.map_or(Ok(()), |value| ctx.clip_gradients(optimizer, value, gradient_clip_algorithm))
        }

        fn on_before_zero_grad(&self, ctx: &mut Context) -> Result<()> {
            self.note("on_before_zero_grad", ctx, Shown::default())
        }
    }
}

recorder! {
    #[lightning_module(automatic_optimization = false)]
    Manual {
        fn training_step(&mut self, ctx: &mut Context, batch: &Rows, batch_idx: usize) -> Result<Option<Tensor>> {
            self.note("training_step", ctx, Shown { batch_idx: Some(batch_idx), ..Shown::default() })?;
            if self.model.none_loss_at.contains(&batch_idx) {
                return Ok(None);
            }
            let loss = self.loss(batch);
            ctx.log("train_loss", &loss).on_step(true).on_epoch(true).batch_size(2).sync_dist(self.model.sync_dist);
            ctx.manual_backward(self, &loss)?;
            if (batch_idx + 1).is_multiple_of(self.model.manual_step_every) {
                for optimizer in 0..self.model.optimizers {
                    ctx.manual_step(self, optimizer)?;
                    ctx.optimizer(optimizer).zero_grad()?;
                }
            }
            Ok(Some(loss))
        }
    }
}
