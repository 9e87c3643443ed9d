//! The loop of `predict`.

use super::batches::{self, EpochBatch};
use crate::data::Batch;
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, LightningModuleTable, ModelHooksTable, Run};
use crate::profiler::Region;
use crate::strategy::Operation;
use tch::no_grad_guard;

/// A function that takes each prediction.
pub(crate) type TakesPrediction<'a, P> = &'a mut dyn FnMut(P) -> anyhow::Result<()>;

/// Predicts every batch of the loaders, without gradients. Returns the predictions, loader by loader, or an empty list if
/// `each` takes them.
pub(crate) fn predict<M: LightningModule>(
    run: &mut Run<'_, M>,
    mut each: Option<TakesPrediction<'_, M::Prediction>>,
) -> Result<Vec<M::Prediction>, Error> {
    let hook = Hook::PredictDataloader;
    let limit = run.ctx.config().limit_predict_batches;
    if limit.is_zero() {
        return Ok(Vec::new());
    }
    let loaders = Vec::from(run.data.evaluation_dataloaders(hook, run.module, run.ctx)?);
    let loaders = batches::of_processes(run.ctx, hook, loaders)?;
    let counts = loaders.iter().map(|loader| batches::count(loader, hook, limit)).collect::<Result<Vec<_>, _>>()?;
    batches::warn_if_empty(hook, &counts, limit);
    // the hooks of a process without batches may take part in operations of all processes
    let is_known_as_empty = counts.iter().all(|count| *count == Some(0));
    if !run.ctx.any_rank(Operation::Batches, !is_known_as_empty)? {
        return Ok(Vec::new());
    }
    let _no_grad = no_grad_guard();
    ModelHooksTable::on_predict_model_eval(run.module, run.ctx)?;
    run.ctx.set_evaluation_batches(counts.iter().copied().sum());
    run.on_predict_start()?;
    run.on_predict_epoch_start()?;
    let (mut predictions, mut is_empty) = (Vec::new(), true);
    for (dataloader_idx, (loader, count)) in loaders.iter().zip(counts).enumerate() {
        if count == Some(0) && run.ctx.is_together() {
            // other processes may have batches of it
            continue;
        }
        let mut batches = batches::of_evaluation(run, (hook, dataloader_idx), loader, 0, count)?;
        loop {
            run.ctx.begin_profiler_step();
            let Some(batch) = run.measured(Region::waiting_for(hook), |_| batches.next()) else { break };
            let EpochBatch { batch, batch_idx, .. } = batch?;
            let prediction = advance(run, batch, batch_idx, dataloader_idx)?;
            is_empty = false;
            match &mut each {
                None => predictions.push(prediction),
                Some(each) => each(prediction).map_err(|error| Error::Prediction { batch_idx, error })?,
            }
            run.ctx.check_signals(Some(batch_idx))?;
            run.ctx.check_others()?;
        }
    }
    batches::warn_if_no_batch(hook, is_empty && !is_known_as_empty);
    run.ctx.leave_batch(None);
    run.on_predict_epoch_end(&predictions)?;
    run.on_predict_end()?;
    Ok(predictions)
}

fn advance<M: LightningModule>(
    run: &mut Run<'_, M>,
    batch: M::Batch,
    batch_idx: usize,
    dataloader_idx: usize,
) -> Result<M::Prediction, Error> {
    run.ctx.enter_batch(batch_idx, batch.batch_size());
    let batch = run.transfer(batch, dataloader_idx)?;
    run.on_predict_batch_start(&batch, batch_idx, dataloader_idx)?;
    let module = &mut *run.module;
    let prediction = run
        .ctx
        .under_autocast(|ctx| LightningModuleTable::predict_step(module, ctx, &batch, batch_idx, dataloader_idx))?;
    run.on_predict_batch_end(&prediction, &batch, batch_idx, dataloader_idx)?;
    Ok(prediction)
}
