//! `fit`: sanity check, epochs, end.

use super::batches;
use super::evaluation::{Evaluation, Kind};
use super::training_epoch;
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, Running};
use crate::stage::RunningStage;
use crate::terminal;

/// Trains until the configured end. The module is on its device, the optimizers are made, and a checkpoint is restored.
pub(crate) fn fit<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let mut validation = validation(running);
    sanity_check(running, validation.as_mut())?;
    train(running, validation.as_mut())
}

/// The validation within training, where module and data have both halves of it.
fn validation<M: LightningModule>(running: &Running<'_, M>) -> Option<Evaluation<M>> {
    let has_step = <M as LightningModule>::TABLE.validation_step.is_some();
    if !has_step || running.ctx.config.limit_val_batches == Some(0) {
        return None;
    }
    if !running.data.has(Hook::ValDataloader) {
        terminal::say("warning: there is a `validation_step` and no `val_dataloader`: validation is left out");
        return None;
    }
    Some(Evaluation::new(Kind::Validation))
}

fn sanity_check<M: LightningModule>(
    running: &mut Running<'_, M>,
    validation: Option<&mut Evaluation<M>>,
) -> Result<(), Error> {
    let batches = running.ctx.config.num_sanity_val_steps;
    let Some(validation) = validation.filter(|_| batches > 0) else { return Ok(()) };
    running.ctx.running_stage = RunningStage::SanityChecking;
    running.callbacks.on_sanity_check_start(running.ctx, running.module)?;
    let outcome = validation.run(running, Some(batches));
    running.ctx.evaluation_log.clear();
    outcome?;
    let outcome = running.callbacks.on_sanity_check_end(running.ctx, running.module);
    running.ctx.running_stage = RunningStage::Training;
    outcome
}

fn train<M: LightningModule>(
    running: &mut Running<'_, M>,
    mut validation: Option<&mut Evaluation<M>>,
) -> Result<(), Error> {
    running.ctx.running_stage = RunningStage::Training;
    let loader = running.data.train_dataloader(running.module, running.ctx)?;
    let batches = batches::count(&loader, running.ctx.config.limit_train_batches);
    running.ctx.num_training_batches = batches;
    if let Some(validation) = validation.as_deref_mut() {
        validation.load(running)?;
    }
    running.on_train_start()?;
    while !is_done(running, batches) {
        training_epoch::run(running, &loader, batches, validation.as_deref_mut())?;
        running.ctx.current_epoch += 1;
    }
    running.on_train_end()
}

fn is_done<M: LightningModule>(running: &Running<'_, M>, batches: usize) -> bool {
    let ctx = &running.ctx;
    let epochs_are_over = ctx.config.epochs().is_some_and(|epochs| ctx.current_epoch >= epochs);
    batches == 0 || epochs_are_over || ctx.is_stopped()
}
