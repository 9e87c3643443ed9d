//! The optimizers of a `fit`.

use crate::config::NonFiniteLoss;
use crate::context::RunContext;
use crate::error::Error;
use crate::loops::Training;
use crate::module::{LightningModule, LightningModuleTable, Optimizers, Run, ScheduledOptimizer, trainable};
use crate::optim::Optimizer;
use crate::precision::{GradScaler, GradScalerState};
use crate::schedule::LrSchedulerConfig;

/// Makes the optimizers and schedulers that the module configures, and what scales the loss.
/// Returns the training loader where `configure_optimizers` needed the number of its batches.
pub(super) fn make_optimizers<M: LightningModule>(run: &mut Run<'_, M>) -> Result<Option<Training<M>>, Error> {
    let grad_scaler = grad_scaler(run.ctx)?;
    run.ctx.begin_optimization(grad_scaler);
    let (optimizers, early) = configured(run)?;
    if M::AUTOMATIC_OPTIMIZATION && optimizers.len() > 1 {
        return Err(Error::configuration(format!(
            "`configure_optimizers` returned {} optimizers, and automatic optimization steps one: with \
             `#[lightning_module(automatic_optimization = false)]` the module steps them by itself",
            optimizers.len()
        )));
    }
    for ScheduledOptimizer { groups, lr_schedulers } in optimizers {
        if let Some(mistake) = lr_schedulers.iter().find_map(LrSchedulerConfig::mistake) {
            return Err(Error::configuration(mistake));
        }
        // what is frozen is not trained, and may join its optimizer later
        let mut parameters = trainable(run.module.parameters());
        parameters.retain(|(_, parameter)| parameter.requires_grad());
        let mut optimizer = Optimizer::new(groups, parameters)?;
        if run.ctx.grad_scaler().is_some() {
            optimizer.expect_scaled_gradients()?;
        }
        if run.ctx.config().on_non_finite_loss == NonFiniteLoss::SkipStep && !optimizer.can_skip_steps() {
            return Err(Error::configuration(
                "`on_non_finite_loss` is skip-step, and L-BFGS cannot skip a step: choose stop or go-on".to_owned(),
            ));
        }
        let optimizer = run.ctx.add_optimizer(optimizer);
        lr_schedulers.into_iter().try_for_each(|config| run.ctx.add_lr_scheduler(optimizer, config))?;
    }
    Ok(early)
}

/// What `configure_optimizers` returns. While it borrows the module, whose hook may make the training loader, the context cannot make
/// the loader: where the hook asks for the number of steps, the loader is made after it, and the hook is called again.
fn configured<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(Optimizers, Option<Training<M>>), Error> {
    run.ctx.take_asked_for_stepping_batches();
    let first = LightningModuleTable::configure_optimizers(run.module, run.ctx);
    if !run.ctx.take_asked_for_stepping_batches() {
        return Ok((first?, None));
    }
    let early = Training::load_early(run)?;
    Ok((LightningModuleTable::configure_optimizers(run.module, run.ctx)?, Some(early)))
}

fn grad_scaler(ctx: &RunContext) -> Result<Option<GradScaler>, Error> {
    let scaler =
        ctx.config().precision.scales_loss().then(|| GradScaler::new(GradScalerState::default(), ctx.device()));
    Ok(scaler.transpose()?)
}
