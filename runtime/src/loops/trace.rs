//! The trace of `predict_step`, in place of the loop of `predict`.

use super::batches::{self, EpochBatch};
use crate::computation_trace::{TorchScriptError, Traced};
use crate::data::{Batch, tensors_of};
use crate::error::Error;
use crate::hook::Hook;
use crate::module::{LightningModule, LightningModuleTable, ModelHooksTable, Run, variables};
use crate::native::UnreadInputs;
use anyhow::anyhow;
use std::any::type_name;
use tch::{Tensor, no_grad_guard};

/// Traces what `predict_step` computes from the first batch of the loaders.
pub(crate) fn trace<M: LightningModule>(run: &mut Run<'_, M>) -> Result<Traced, Error> {
    let _no_grad = no_grad_guard();
    let batch = first_batch(run)?;
    ModelHooksTable::on_predict_model_eval(run.module, run.ctx)?;
    run.ctx.enter_batch(0, batch.batch_size());
    let batch = run.transfer(batch, 0)?;
    let (inputs, parameters) = (tensors_of(&batch), variables(run.module.parameters()));
    let Run { module, ctx, .. } = run;
    let mut batch = Some(batch);
    let mut compute = |tensors: &[Tensor]| {
        let mut tensors = tensors.iter();
        let next = |of_batch: Tensor| Ok(tensors.next().map_or(of_batch, Tensor::shallow_clone));
        let of_inputs = batch.take().ok_or_else(|| anyhow!("the batch was lost"))?.map_tensors(&mut { next })?;
        let of_inputs = batch.insert(of_inputs);
        let prediction = ctx.under_autocast(|ctx| LightningModuleTable::predict_step(*module, ctx, of_inputs, 0, 0))?;
        let not_tensors = TorchScriptError::NotTensors { prediction: type_name::<M::Prediction>() };
        let tensors = M::prediction_tensors(&prediction).filter(|tensors| !tensors.is_empty());
        Ok(tensors.ok_or(Error::from(not_tensors))?)
    };
    let traced = Traced::record(&parameters, &inputs, UnreadInputs::Remove, &mut compute);
    run.ctx.leave_batch(None);
    traced.map_err(of_run)
}

fn first_batch<M: LightningModule>(run: &mut Run<'_, M>) -> Result<M::Batch, Error> {
    let hook = Hook::PredictDataloader;
    let loaders = Vec::from(run.data.evaluation_dataloaders(hook, run.module, run.ctx)?);
    let loader = loaders.first().ok_or(Error::NoBatch { dataloader: hook, epoch: None })?;
    let first = batches::of_evaluation(run, (hook, 0), loader, 0, Some(1))?.next();
    let EpochBatch { batch, .. } = first.ok_or(Error::NoBatch { dataloader: hook, epoch: None })??;
    Ok(batch)
}

/// Returns the error of `predict_step` itself, which has its location.
fn of_run(error: TorchScriptError) -> Error {
    match error {
        TorchScriptError::Forward(error) => {
            error.downcast().unwrap_or_else(|error| TorchScriptError::Forward(error).into())
        }
        error => error.into(),
    }
}
