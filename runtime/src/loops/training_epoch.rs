//! One training epoch.

use super::evaluation::Evaluation;
use super::{automatic, batches};
use crate::data::{Batch, DataLoader};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{Flow, LightningModule, ModelHooksTable, Running};
use crate::stage::RunningStage;

/// Trains on `batches` batches of the loader, and validates after them where this epoch is to be validated.
pub(super) fn run<M: LightningModule>(
    running: &mut Running<'_, M>,
    loader: &DataLoader<M::Batch>,
    batches: usize,
    mut validation: Option<&mut Evaluation<M>>,
) -> Result<(), Error> {
    running.ctx.in_epoch = true;
    running.on_train_epoch_start()?;
    let epoch = running.ctx.current_epoch;
    for batch in batches::of_epoch(loader, Hook::TrainDataloader, epoch, batches)? {
        let (batch_idx, batch) = batch?;
        let is_last = batch_idx + 1 == batches;
        if advance(running, batch, batch_idx, is_last)? == Flow::SkipEpoch {
            break;
        }
        if is_last && is_validated(running) {
            validate(running, validation.as_deref_mut())?;
        }
        if steps(running, batch_idx, is_last) {
            running.ctx.batches_that_stepped += 1;
        }
        if running.ctx.is_stopped() {
            break;
        }
    }
    end(running)
}

fn end<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    running.ctx.batch_idx = None;
    // the rows of an epoch's end belong to its last step
    let stepped = running.ctx.batches_that_stepped;
    running.ctx.batches_that_stepped = stepped.saturating_sub(1);
    running.on_train_epoch_end()?;
    running.ctx.end_logged_epoch()?;
    running.ctx.batches_that_stepped = stepped;
    running.ctx.in_epoch = false;
    Ok(())
}

/// Whether the optimizer steps after this batch: at the end of an accumulation window, or of the epoch.
fn steps<M: LightningModule>(running: &Running<'_, M>, batch_idx: usize, is_last: bool) -> bool {
    is_last || (batch_idx + 1).is_multiple_of(running.ctx.config.accumulate_grad_batches)
}

fn is_validated<M: LightningModule>(running: &Running<'_, M>) -> bool {
    (running.ctx.current_epoch + 1).is_multiple_of(running.ctx.config.check_val_every_n_epoch)
}

fn validate<M: LightningModule>(
    running: &mut Running<'_, M>,
    validation: Option<&mut Evaluation<M>>,
) -> Result<(), Error> {
    let Some(validation) = validation else { return Ok(()) };
    running.ctx.running_stage = RunningStage::Validating;
    ModelHooksTable::on_validation_model_zero_grad(running.module, running.ctx)?;
    validation.run(running, running.ctx.config.limit_val_batches)?;
    running.ctx.running_stage = RunningStage::Training;
    Ok(())
}

fn advance<M: LightningModule>(
    running: &mut Running<'_, M>,
    batch: M::Batch,
    batch_idx: usize,
    is_last: bool,
) -> Result<Flow, Error> {
    running.ctx.batch_idx = Some(batch_idx);
    running.ctx.batch_size = batch.batch_size().unwrap_or(1);
    let batch = running.transfer(batch, 0)?;
    let flow = running.on_train_batch_start(&batch, batch_idx)?;
    if flow == Flow::Continue {
        let steps = steps(running, batch_idx, is_last);
        let output = automatic::step(running, &batch, batch_idx, steps)?;
        running.on_train_batch_end(&output, &batch, batch_idx)?;
        if steps {
            log_step(running)?;
        }
    }
    running.ctx.batch_idx = None;
    Ok(flow)
}

/// Writes the row of a step, every `log_every_n_steps` steps.
fn log_step<M: LightningModule>(running: &mut Running<'_, M>) -> Result<(), Error> {
    let step = running.ctx.batches_that_stepped;
    if !(step + 1).is_multiple_of(running.ctx.config.log_every_n_steps) || running.ctx.loggers.is_empty() {
        return Ok(());
    }
    let row = running.ctx.training_log.step_row();
    running.ctx.write_row(row, step)
}
