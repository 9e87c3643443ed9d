//! One training epoch.

use super::batches::{self, BatchesLeft, EpochBatch};
use super::lr_schedulers::{self, SchedulePoint};
use super::training::{Training, not_continued};
use super::validation::Validation;
use super::{automatic, manual, requests, stopping};
use crate::context::RunContext;
use crate::data::Batch;
use crate::error::Error;
use crate::hook::Hook;
use crate::messages;
use crate::module::{Flow, LightningModule, ModelHooksTable, Run, TrainingOutput, trainable};
use crate::observer::Request;
use crate::profiler::Region;
use crate::progress::Position;
use crate::strategy::Operation;

/// Trains on the batches of an epoch, and validates when that is due. `batches` are those of a resumed epoch.
pub(super) fn run<M: LightningModule>(
    run: &mut Run<'_, M>,
    training: &Training<M>,
    batches: Option<BatchesLeft<'_, M::Batch>>,
    mut validation: Option<&mut Validation<M>>,
) -> Result<(), Error> {
    run.ctx.enter_epoch();
    if !run.ctx.progress().is_mid_epoch() {
        run.ctx.redo_hooks_from_here(Position::EpochStart)?;
        run.on_train_epoch_start()?;
        run.ctx.agree()?;
        run.ctx.progress_mut().begin_epoch();
        run.save_what_is_pending()?;
    } else if run.ctx.progress().position() == Position::BatchEnd {
        advance_end(run, validation.as_deref_mut())?;
    }
    prepare_replica(run)?;
    let count = run.ctx.num_training_batches();
    run.ctx.set_training_workers(training.loader.worker_count());
    let mut batches = batches::of_epoch(run, &training.loader, batches, count)?;
    let mut waiting = Region::FirstBatch;
    while !is_done(run.ctx) {
        run.ctx.begin_profiler_step();
        let Some(batch) = run.measured(waiting, |_| batches.next()) else {
            let (current_epoch, batches_ready) = (run.ctx.current_epoch(), run.ctx.progress().batches_ready());
            if batches_ready == 0 {
                return Err(Error::NoBatch { dataloader: Hook::TrainDataloader, epoch: Some(current_epoch) });
            }
            // the last batch is known as such when it is trained on, except in a resumed run
            let what = "and the stream of `train_dataloader` now ends before";
            return Err(not_continued(current_epoch, batches_ready, what));
        };
        waiting = Region::NextBatch;
        let mut batch = batch?;
        if training.agrees_on_last {
            batch.is_last = run.ctx.any_rank(Operation::Batches, batch.is_last)?;
        }
        if run.measured(Region::TrainingBatch, |run| advance(run, batch))? == Flow::SkipEpoch {
            break;
        }
        advance_end(run, validation.as_deref_mut())?;
        if run.ctx.show_position() || run.ctx.has_agreed_requests() {
            requests::follow(run)?;
        }
        run.ctx.check_others()?;
        run.ctx.check_signals_in_training(run.ctx.progress().batches_ready().checked_sub(1))?;
    }
    end(run)
}

/// Prepares the averaging of gradients, for the parameters that are trained in this epoch.
fn prepare_replica<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(), Error> {
    if run.ctx.world_size() == 1 {
        return Ok(());
    }
    let mut parameters = trainable(run.module.parameters());
    parameters.retain(|(_, parameter)| parameter.requires_grad());
    Ok(run.ctx.strategy_mut().train(parameters)?)
}

fn is_done(ctx: &RunContext) -> bool {
    stopping::steps_are_over(ctx) || ctx.progress().is_last_batch() || stopping::is_stopped(ctx)
}

/// Trains on one batch, up to its last hook and its row in the logs.
fn advance<M: LightningModule>(run: &mut Run<'_, M>, batch: EpochBatch<M::Batch>) -> Result<Flow, Error> {
    let EpochBatch { batch, batch_idx, is_last } = batch;
    run.ctx.enter_batch(batch_idx, batch.batch_size());
    let batch = run.transfer(batch, 0)?;
    run.ctx.begin_batch(is_last);
    let flow = run.on_train_batch_start(&batch, batch_idx)?;
    if flow == Flow::SkipEpoch {
        run.ctx.progress_mut().skip_rest_of_epoch();
        lr_schedulers::update(run, SchedulePoint::Batch)?;
    } else {
        // within a manual window, as in PyTorch, buffers are those of its first batch
        if run.ctx.steps_after_this_batch() && !run.ctx.has_local_gradients() {
            run.ctx.strategy_mut().send_buffers()?;
        }
        let observation = run.ctx.begin_step_observation();
        let step = if M::AUTOMATIC_OPTIMIZATION { automatic::step } else { manual::step };
        let output = step(run, &batch, batch_idx);
        if let Some(observation) = observation {
            run.ctx.end_step_observation(observation, batch.batch_size(), output.is_err());
            run.update_run_file();
        }
        let mut output = output?;
        output.detach();
        run.ctx.progress_mut().set_position(Position::BatchEnd);
        if run.ctx.steps_after_this_batch() || run.ctx.skips_backward() {
            run.ctx.progress_mut().end_window();
        }
        lr_schedulers::update(run, SchedulePoint::Batch)?;
        run.on_train_batch_end(&output, &batch, batch_idx)?;
        if run.ctx.steps_after_this_batch() {
            run.ctx.agree_after_step()?;
        }
        log_step(run)?;
        run.save_what_is_pending()?;
    }
    run.ctx.leave_batch(None);
    Ok(flow)
}

/// Ends a batch, with validation if it is due.
fn advance_end<M: LightningModule>(run: &mut Run<'_, M>, validation: Option<&mut Validation<M>>) -> Result<(), Error> {
    let has_stepped = run.ctx.steps_after_this_batch();
    let is_requested = run.ctx.takes_request(Request::Validate);
    if is_requested && validation.is_none() {
        messages::warning!("this run has no validation: it needs a `validation_step` and a `val_dataloader`");
    }
    if let Some(validation) = validation
        && (is_requested || validation.is_due(run.ctx)?)
    {
        run.measured(Region::Logging, |run| run.ctx.read_losses())?;
        run.ctx.redo_validation_from_here()?;
        run.measured(Region::Validation, |run| validation.run(run, has_stepped))?;
        run.ctx.agree()?;
    }
    // a run that fails in validation resumes there, and validates then
    run.ctx.see_validation_steps();
    lr_schedulers::update(run, SchedulePoint::Validation)?;
    run.ctx.progress_mut().end_batch(has_stepped);
    run.save_what_is_pending()
}

fn end<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(), Error> {
    run.ctx.leave_batch(None);
    run.measured(Region::Logging, |run| run.ctx.read_losses())?;
    if !run.ctx.progress().is_last_batch() {
        run.ctx.keep_cut_log()?;
    }
    run.ctx.redo_hooks_from_here(Position::EpochEnd)?;
    // the rows of an epoch's end belong to its last step
    let stepped = run.ctx.progress_mut().count_rows_to_last_step();
    let outcome = last_hooks(run);
    run.ctx.progress_mut().count_rows_to(stepped);
    outcome?;
    run.compare_replicas()?;
    run.ctx.leave_epoch();
    Ok(())
}

fn last_hooks<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(), Error> {
    run.ctx.epoch_end_reached()?;
    manual::warn_without_steps(run);
    on_train_epoch_end(run)?;
    run.ctx.agree()?;
    lr_schedulers::update(run, SchedulePoint::Epoch)?;
    run.measured(Region::Logging, |run| run.ctx.end_logged_epoch())?;
    Ok(())
}

/// Calls `on_train_epoch_end`. Callbacks that monitor logged values are called after the module, which may log in this hook.
fn on_train_epoch_end<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(), Error> {
    let monitoring: Vec<bool> = run.callbacks.list.iter().map(|callback| callback.is_monitoring()).collect();
    let monitoring = &monitoring;
    let indices = |monitors| (0..monitoring.len()).filter(move |index| monitoring[*index] == monitors);
    for index in indices(false) {
        run.on_train_epoch_end_of(index)?;
    }
    ModelHooksTable::on_train_epoch_end(run.module, run.ctx)?;
    run.ctx.join_logged_epoch()?;
    for index in indices(true) {
        run.on_train_epoch_end_of(index)?;
    }
    Ok(())
}

/// Writes the row of a step, every `log_every_n_steps` steps.
fn log_step<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(), Error> {
    let ctx = &*run.ctx;
    if !ctx.should_update_logs() || !ctx.steps_after_this_batch() || !ctx.has_loggers() {
        return Ok(());
    }
    run.measured(Region::Logging, |Run { ctx, .. }| {
        ctx.read_losses()?;
        let row = ctx.active_log().step_row(None);
        Ok(ctx.write_row(row, ctx.logged_step())?)
    })
}
