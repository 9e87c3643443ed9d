//! One training epoch.

use super::batches::{self, EpochBatch};
use super::lr_schedulers::{self, SchedulePoint};
use super::training::{Training, not_continued};
use super::validation::Validation;
use super::{automatic, manual, stopping};
use crate::context::RunContext;
use crate::data::{Batch, Batches};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{Flow, LightningModule, ModelHooksTable, Running, TrainingOutput};
use crate::progress::Position;

/// Trains on the batches of an epoch, and validates when that is due. `batches` are those of a resumed epoch.
pub(super) fn run<M: LightningModule>(
    running: &mut Running<'_, M>,
    training: &Training<M>,
    batches: Option<Batches<'_, M::Batch>>,
    mut validation: Option<&mut Validation<M>>,
) -> Result<(), Error> {
    running.ctx.enter_epoch();
    if !running.ctx.progress().is_mid_epoch() {
        running.ctx.redo_hooks_from_here(Position::EpochStart)?;
        running.on_train_epoch_start()?;
        running.ctx.progress_mut().begin_epoch();
        running.save_what_is_pending()?;
    } else if running.ctx.progress().position() == Position::BatchEnd {
        advance_end(running, validation.as_deref_mut())?;
    }
    let count = running.ctx.num_training_batches();
    let mut batches = batches::of_epoch(running, &training.loader, batches, count)?;
    while !is_done(running.ctx) {
        let Some(batch) = batches.next() else {
            let (current_epoch, batches_ready) = (running.ctx.current_epoch(), running.ctx.progress().batches_ready());
            if batches_ready == 0 {
                return Err(Error::NoBatch { dataloader: Hook::TrainDataloader, epoch: Some(current_epoch) });
            }
            // the last batch is known as such when it is trained on, except in a resumed run
            let what = "and the stream of `train_dataloader` now ends before";
            return Err(not_continued(current_epoch, batches_ready, what));
        };
        if advance(running, batch?)? == Flow::SkipEpoch {
            break;
        }
        advance_end(running, validation.as_deref_mut())?;
        running.ctx.check_signals(running.ctx.progress().batches_ready().checked_sub(1))?;
    }
    end(running)
}

fn is_done(ctx: &RunContext) -> bool {
    stopping::steps_are_over(ctx) || ctx.progress().is_last_batch() || stopping::is_stopped(ctx)
}

/// Trains on one batch, up to its last hook and its row in the logs.
fn advance<M: LightningModule>(running: &mut Running<'_, M>, batch: EpochBatch<M::Batch>) -> Result<Flow, Error> {
    let EpochBatch { batch, batch_idx, is_last } = batch;
    running.ctx.enter_batch(batch_idx, batch.batch_size());
    let batch = running.transfer(batch, 0)?;
    running.ctx.begin_batch(is_last);
    let flow = running.on_train_batch_start(&batch, batch_idx)?;
    if flow == Flow::SkipEpoch {
        running.ctx.progress_mut().skip_rest_of_epoch();
        lr_schedulers::update(running, SchedulePoint::Batch)?;
    } else {
        let mut output = if M::AUTOMATIC_OPTIMIZATION {
            automatic::step(running, &batch, batch_idx)?
        } else {
            manual::step(running, &batch, batch_idx)?
        };
        output.detach();
        running.ctx.progress_mut().set_position(Position::BatchEnd);
        if running.ctx.steps_after_this_batch() || running.ctx.skips_backward() {
            running.ctx.progress_mut().end_window();
        }
        lr_schedulers::update(running, SchedulePoint::Batch)?;
        running.on_train_batch_end(&output, &batch, batch_idx)?;
        log_step(running)?;
        running.save_what_is_pending()?;
    }
    running.ctx.leave_batch(None);
    Ok(flow)
}

/// Ends a batch, with validation if it is due.
fn advance_end<M: LightningModule>(
    running: &mut Running<'_, M>,
    validation: Option<&mut Validation<M>>,
) -> Result<(), Error> {
    let has_stepped = running.ctx.steps_after_this_batch();
    if let Some(validation) = validation
        && validation.is_due(running.ctx)
    {
        running.ctx.read_losses()?;
        running.ctx.redo_validation_from_here()?;
        validation.run(running, has_stepped)?;
    }
    // a run that fails in validation resumes there, and validates then
    running.ctx.see_validation_steps();
    lr_schedulers::update(running, SchedulePoint::Validation)?;
    running.ctx.progress_mut().end_batch(has_stepped);
    running.save_what_is_pending()
}

fn end<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    running.ctx.leave_batch(None);
    running.ctx.read_losses()?;
    if !running.ctx.progress().is_last_batch() {
        running.ctx.keep_cut_log()?;
    }
    running.ctx.redo_hooks_from_here(Position::EpochEnd)?;
    // the rows of an epoch's end belong to its last step
    let stepped = running.ctx.progress_mut().count_rows_to_last_step();
    let outcome = last_hooks(running);
    running.ctx.progress_mut().count_rows_to(stepped);
    outcome?;
    running.ctx.leave_epoch();
    Ok(())
}

fn last_hooks<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    running.ctx.epoch_end_reached();
    on_train_epoch_end(running)?;
    lr_schedulers::update(running, SchedulePoint::Epoch)?;
    running.ctx.end_logged_epoch()?;
    Ok(())
}

/// Calls `on_train_epoch_end`. Callbacks that monitor logged values are called after the module, which may log in this hook.
fn on_train_epoch_end<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let monitoring: Vec<bool> = running.callbacks.list.iter().map(|callback| callback.is_monitoring()).collect();
    let monitoring = &monitoring;
    let indices = |monitors| (0..monitoring.len()).filter(move |index| monitoring[*index] == monitors);
    for index in indices(false) {
        running.on_train_epoch_end_of(index)?;
    }
    ModelHooksTable::on_train_epoch_end(running.module, running.ctx)?;
    for index in indices(true) {
        running.on_train_epoch_end_of(index)?;
    }
    Ok(())
}

/// Writes the row of a step, every `log_every_n_steps` steps.
fn log_step<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let ctx = &mut *running.ctx;
    if !ctx.should_update_logs() || !ctx.steps_after_this_batch() || !ctx.has_loggers() {
        return Ok(());
    }
    ctx.read_losses()?;
    let row = ctx.active_log().step_row(None);
    Ok(ctx.write_row(row, ctx.logged_step())?)
}
