//! The optimizers of a `fit`.

use crate::config::NonFiniteLoss;
use crate::context::{ChosenOptimizer, RunContext};
use crate::error::Error;
use crate::hook::Hook;
use crate::loops::Training;
use crate::messages;
use crate::module::{
    IntoOptimizer as _, LightningModule, LightningModuleTable, Optimizers, Run, ScheduledOptimizer, trainable,
};
use crate::optim::{Algorithm, Optimizer};
use crate::precision::{GradScaler, GradScalerState};
use crate::schedule::LrSchedulerConfig;
use crate::strategy::{self, StrategyError};
use serde_json::{Map, json};

/// Makes the optimizers and schedulers that the module configures, and what scales the loss.
/// Returns the training loader where `configure_optimizers` needed the number of its batches.
pub(super) fn make_optimizers<M: LightningModule>(run: &mut Run<'_, M>) -> Result<Option<Training<M>>, Error> {
    let grad_scaler = grad_scaler(run.ctx)?;
    run.ctx.begin_optimization(grad_scaler);
    let (optimizers, early) = configured(run)?;
    if M::AUTOMATIC_OPTIMIZATION && optimizers.len() > 1 {
        return Err(Error::configuration(format!(
            "`configure_optimizers` returned {} optimizers, but automatic optimization supports one: \
             give several algorithms their parameters in one, by `ParameterGroups::route`, or use manual optimization, \
             `#[lightning_module(automatic_optimization = false)]`",
            optimizers.len()
        )));
    }
    for ScheduledOptimizer { groups, lr_schedulers } in optimizers {
        if let Some(mistake) = lr_schedulers.iter().find_map(LrSchedulerConfig::mistake_in_code) {
            return Err(Error::configuration(mistake));
        }
        // what is frozen is not trained, and may join its optimizer later
        let mut parameters = trainable(run.module.parameters());
        parameters.retain(|(_, parameter)| parameter.requires_grad());
        let mut optimizer = Optimizer::new(groups, parameters)?;
        if run.ctx.grad_scaler().is_some() {
            if !optimizer.can_skip_steps() {
                return Err(Error::configuration(
                    "`precision` is 16-mixed, which scales gradients, but L-BFGS evaluates the loss several times per step: set it to \
                     bf16-mixed or 32-true, or choose another optimizer"
                        .to_owned(),
                ));
            }
            optimizer.expect_scaled_gradients()?;
        }
        // the gradients of repeated evaluations would add up to those of the batches before
        let accumulates = M::AUTOMATIC_OPTIMIZATION && run.ctx.config().accumulate_grad_batches > 1;
        if accumulates && !optimizer.can_skip_steps() {
            return Err(Error::configuration(
                "`accumulate_grad_batches` is above 1, but L-BFGS evaluates the loss of one batch several times per step: set it to 1, and \
                 make the batches larger"
                    .to_owned(),
            ));
        }
        if run.ctx.config().on_non_finite_loss == NonFiniteLoss::SkipStep && !optimizer.can_skip_steps() {
            return Err(Error::configuration(
                "`on_non_finite_loss` is skip-step, but L-BFGS cannot skip a step: choose stop or ignore".to_owned(),
            ));
        }
        let optimizer = run.ctx.add_optimizer(optimizer);
        lr_schedulers.into_iter().try_for_each(|config| run.ctx.add_lr_scheduler(optimizer, config))?;
    }
    Ok(early)
}

/// Fails unless all processes have the same optimizers and schedulers.
pub(super) fn check_optimizers(ctx: &RunContext) -> Result<(), Error> {
    if ctx.world_size() == 1 {
        return Ok(());
    }
    let mut settings = Map::new();
    for (index, optimizer) in ctx.optimizers().iter().enumerate() {
        for (group, of_group) in optimizer.groups().iter().enumerate() {
            let mut own = of_group.algorithm().hyperparameters().map_err(StrategyError::from)?;
            own.insert("algorithm".to_owned(), of_group.algorithm().name().into());
            own.insert("parameters".to_owned(), of_group.parameters().len().into());
            for (position, (name, _)) in of_group.parameters().iter().enumerate() {
                own.insert(format!("parameters[{position}]"), name.as_str().into());
            }
            settings.insert(format!("optimizers[{index}].param_groups[{group}]"), own.into());
        }
    }
    let schedulers = ctx.lr_schedulers();
    for (index, scheduler) in schedulers.iter().enumerate() {
        let state = serde_json::to_value(scheduler.state()).map_err(StrategyError::from)?;
        // that of a function cannot be written
        let config = serde_json::to_value(scheduler.config()).unwrap_or_default();
        let own = json!({ "optimizer": scheduler.optimizer().0, "config": config, "state": state });
        settings.insert(format!("lr_schedulers[{index}]"), own);
    }
    settings.insert("optimizers".to_owned(), ctx.optimizers().len().into());
    settings.insert("lr_schedulers".to_owned(), schedulers.len().into());
    Ok(strategy::check_optimizers(ctx.strategy(), settings.into())?)
}

/// Returns the optimizer that flags or files choose, or calls `configure_optimizers`. If the hook requests the number of steps, it is called again after the training loader is created:
/// the loader cannot be created during the call, which borrows the module.
fn configured<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(Optimizers, Option<Training<M>>), Error> {
    if let Some(ChosenOptimizer { optimizer, lr_scheduler }) = run.ctx.chosen_optimizer().cloned() {
        let algorithm = Algorithm::from(optimizer);
        if <M as LightningModule>::TABLE.overrides(Hook::ConfigureOptimizers) {
            let name = algorithm.name();
            messages::warning!("the chosen optimizer, {name}, replaces `configure_optimizers` of the model");
        }
        let mut optimizer = algorithm.into_optimizer();
        optimizer.lr_schedulers.extend(lr_scheduler);
        return Ok((optimizer.into(), None));
    }
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
