//! `fit`: sanity check, epochs, end.

use super::training::Training;
use super::validation::Validation;
use super::{stopping, training_epoch};
use crate::error::Error;
use crate::module::{LightningModule, Running};
use crate::stage::RunningStage;

/// Trains until the configured end. The module is on its device, the optimizers are made, and a checkpoint is restored.
pub(crate) fn fit<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let mut validation = Validation::of(running);
    if let Some(validation) = validation.as_mut().filter(|_| !is_restarting(running)) {
        validation.sanity_check(running)?;
    }
    running.ctx.running_stage = RunningStage::Training;
    if running.ctx.config.limit_train_batches.is_zero() {
        return Ok(());
    }
    train(running, validation)
}

fn train<M: LightningModule>(running: &mut Running<'_, M>, mut validation: Option<Validation<M>>) -> Result<(), Error> {
    let mut training = Training::load(running)?;
    if let Some(validation) = &mut validation {
        validation.measure(running.ctx)?;
    }
    if is_done(running) {
        return Ok(());
    }
    if let Some(validation) = &mut validation {
        validation.load_early(running)?;
    }
    running.on_train_start()?;
    running.go_on()?;
    while !is_done(running) {
        if training.reload(running)?
            && let Some(validation) = &mut validation
        {
            validation.measure(running.ctx)?;
        }
        training_epoch::run(running, &training, validation.as_mut())?;
        running.ctx.progress.end_epoch();
        running.save_what_is_pending()?;
    }
    running.on_train_end()
}

/// Whether a run goes on within an epoch. Lightning takes every resumed run that ends by steps for one.
fn is_restarting<M: LightningModule>(running: &Running<'_, M>) -> bool {
    let ctx = &running.ctx;
    ctx.ckpt_path.is_some() && (ctx.progress.is_mid_epoch() || ctx.config.steps().is_some())
}

fn is_done<M: LightningModule>(running: &Running<'_, M>) -> bool {
    let ctx = &running.ctx;
    ctx.num_training_batches == Some(0)
        || stopping::steps_are_over(ctx)
        || stopping::epochs_are_over(ctx)
        || stopping::is_stopped(ctx)
}
